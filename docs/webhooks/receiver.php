<?php
// Takes GenreWiz' webhooks and acts on each event once. PHP 8.1 or newer, no extension, no package.
//
//     GENREWIZ_WEBHOOK_SECRET=whsec_… GENREWIZ_WEBHOOK_FOLDER=/var/lib/genrewiz php -S 127.0.0.1:8903 receiver.php
//
// Under Apache: put it among your pages, and into the site's configuration
//     SetEnv GENREWIZ_WEBHOOK_SECRET whsec_…
//     SetEnv GENREWIZ_WEBHOOK_FOLDER /var/lib/genrewiz
// The folder is one that the web server may write to and that no page shows.

declare(strict_types=1);

const TOLERANCE_SECONDS = 300; // how far a sender's clock may be from ours
const MAX_BODY_BYTES = 65_536; // no event is larger than 20 KB

const ENDS = ['job.succeeded', 'job.failed', 'job.cancelled', 'job.expired'];

final class Refused extends Exception
{
}

function setting(string $name): string
{
    $value = getenv($name) ?: ($_SERVER[$name] ?? '');
    return $value !== '' ? $value : throw new Refused("$name is not set", 500);
}

function verify(string $id, string $timestamp, string $signatures, string $body, array $secrets): void
{
    $given = preg_split('/ +/', $signatures, -1, PREG_SPLIT_NO_EMPTY);
    if ($id === '' || !preg_match('/^[0-9]{1,12}$/D', $timestamp) || !$given) {
        throw new Refused('this is no signed webhook', 400);
    }
    $fits = false;
    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        if ($key === false || strlen($key) < 24) { // with an empty one, everybody could sign
            throw new Refused('GENREWIZ_WEBHOOK_SECRET is none', 500);
        }
        $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        // While a secret is being changed there are two signatures; one of them must fit.
        foreach ($given as $each) {
            $fits = hash_equals($right, $each) || $fits;
        }
    }
    if (!$fits) {
        throw new Refused('no signature fits', 401);
    }
    if (abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        throw new Refused('it is too old, or our clock is wrong', 401);
    }
}

function take(): void
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        throw new Refused('webhooks are POSTed', 405);
    }
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    $body = file_get_contents('php://input', false, null, 0, MAX_BODY_BYTES + 1); // the bytes as they came
    if (strlen($body) > MAX_BODY_BYTES) {
        throw new Refused('no event is that large', 413);
    }
    verify($id, $timestamp, $signatures, $body, preg_split('/\s+/', trim(setting('GENREWIZ_WEBHOOK_SECRET'))));
    if (!preg_match('/^[A-Za-z0-9_-]{1,100}$/D', $id)) { // it becomes a file's name
        throw new Refused("the webhook-id is none of GenreWiz'", 400);
    }
    $event = json_decode($body, true);
    check($event);
    $folder = setting('GENREWIZ_WEBHOOK_FOLDER');
    $seen = "$folder/seen"; // a file for each webhook-id
    if (!is_dir($seen) && !@mkdir($seen, 0700, true) && !is_dir($seen)) {
        throw new Refused('the folder cannot be written', 500);
    }
    $lock = fopen("$folder/lock", 'c') ?: throw new Refused('the folder cannot be written', 500);
    flock($lock, LOCK_EX); // one at a time, so that no event is acted on twice at once
    if (!file_exists("$seen/$id")) {
        act($event, $folder);
        // Only now: if we die before, the event comes again, and nothing is lost.
        touch("$seen/$id") || throw new Refused('the folder cannot be written', 500);
    }
}

function check(mixed $event): void
{
    if (!is_array($event) || !is_string($event['type'] ?? null)) {
        throw new Refused('the body is no event', 400);
    }
    $data = $event['data'] ?? null;
    if (!is_array($data) || array_is_list($data)) {
        throw new Refused('the event has no data', 400);
    }
    $is_job = is_string($data['id'] ?? null) && is_string($data['status'] ?? null);
    if (str_starts_with($event['type'], 'job.') && !$is_job) {
        throw new Refused('the event is about no job', 400);
    }
}

/** What this receiver does: a line in genres.csv. Put something as quick in its place. */
function act(array $event, string $folder): void
{
    if (!in_array($event['type'], ENDS, true)) {
        return; // webhook.test, or how far a job is
    }
    $job = $event['data'];
    $genre = $job['result']['genre'] ?? ''; // none: it was not sure enough, or failed
    $line = "{$job['id']},{$job['status']},$genre\r\n";
    if (file_put_contents("$folder/genres.csv", $line, FILE_APPEND) === false) {
        throw new Refused('genres.csv cannot be written', 500);
    }
}

ini_set('display_errors', '0'); // what goes wrong is for the log
try {
    take();
    http_response_code(204);
} catch (Throwable $error) { // whatever it was: GenreWiz shall come again
    $status = $error instanceof Refused ? $error->getCode() : 500;
    error_log("$status: {$error->getMessage()}");
    http_response_code($status);
    echo $error instanceof Refused ? $error->getMessage() : 'it failed';
}
