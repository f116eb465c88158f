/** What a person can do about an error, one sentence for each code. What has happened is said by the error's detail. */

/** Codes of the service (GET /problems/<code>, and `error.code` of a failed job), then the page's own. */
const ADVICE: Readonly<Record<string, string>> = {
  // the song
  unsupported_format: "Try another file: wav, mp3, flac, ogg, opus, m4a, aiff, wma or webm.",
  corrupt_audio: "Try another copy of the song: this one is damaged.",
  no_audio_stream: "Choose a file that has sound in it.",
  audio_too_short: "Choose a song that is some seconds longer.",
  audio_too_long: "Cut the song, and send a part of it.",
  audio_silent: "Choose a recording that can be heard.",
  decode_crashed: "Try another copy of the song, or save it in another format.",
  decode_timeout: "Try again, or save the song in another format.",
  upload_too_large: "Choose a shorter song, or save it as mp3, ogg or m4a.",
  upload_too_slow: "Try again over a faster connection, or send a smaller file.",
  // the link
  url_blocked: "Try a plain https link that everybody can open, or choose the file itself.",
  fetch_failed: "See whether the link opens in your browser, or choose the file itself.",
  fetch_timeout: "Try again later, or choose the file itself.",
  // the run
  prediction_failed: "Try again: another run may succeed.",
  deadline_exceeded: "Try again, or choose a shorter song.",
  too_many_attempts: "Try again in a few minutes.",
  // the service
  queue_full: "Too much is going on at the moment. Try again in a minute.",
  quota_exceeded: "Wait until some of your songs have been answered.",
  rate_limited: "Wait a little, then try again.",
  too_many_watchers: "Nothing needs to be done: this page asks again by itself.",
  store_unavailable: "Try again in a minute.",
  internal_error: "Try again. If it goes on, tell who runs this service the id of the request.",
  // keys
  unauthorized: "Give an API key. Who runs this service hands them out.",
  missing_right: "Use another API key, one that may do this.",
  // results
  unknown_job: "See whether the link is whole. A result can also belong to another API key.",
  not_found: "See whether the link is whole.",
  result_gone: "Send the song again: results are kept for some days.",
  no_spectrogram: "Send the song again to see its picture.",
  job_finished: "Nothing needs to be done: its result can be read.",
  job_running: "Cancel it first, then try again.",
  // what only programs should meet
  malformed_request: "Load this page anew and try again.",
  invalid_request: "See whether the link is a whole web address, or choose the file itself.",
  not_acceptable: "Load this page anew and try again.",
  unsupported_media_type: "Load this page anew and try again.",
  idempotency_key_reused: "Add the song once more.",
  unknown_model: "Load this page anew and try again.",
  unknown_problem: "See whether the link is whole.",
  unknown_endpoint: "See whether the id is right.",
  unknown_delivery: "See whether the id is right.",
  too_many_endpoints: "Delete a webhook endpoint that nobody needs any more.",
  endpoint_disabled: "Enable the webhook endpoint first.",
  // the page's own
  broken_off: "See whether the file is music: the service breaks off what it does not take. Then try again.",
  empty_file: "Choose another file.",
  unreadable_file:
    "Folders cannot be sent: choose the songs in it. A file that was moved has to be chosen again.",
  unreachable: "See whether you are online. This page tries again by itself.",
  too_large_here: "Choose a shorter song, or save it as mp3, ogg or m4a.",
  not_understood: "Something between you and the service answers in its place. Try again later.",
};

const OTHERWISE = "Try again. If it goes on, tell who runs this service.";

/** What to do about an error with this code; of a code that we do not know, what can always be done. */
export function advice(code: string): string {
  return Object.hasOwn(ADVICE, code) ? (ADVICE[code] ?? OTHERWISE) : OTHERWISE;
}
