/**
 * Where a frequency stands in a picture of mel bands. Pure; it draws nothing.
 *
 * The scale is Slaney's, as librosa has it (`librosa.hz_to_mel(htk=False)`, from the Auditory Toolbox, 1998): linear
 * below 1 kHz, 200/3 Hz a mel, then logarithmic, 27 mels for each factor of 6.4. Of `bands` filters, filter i is
 * centred on point i + 1 of `bands + 2` points that stand evenly from 0 mel to that of half the sample rate.
 */

const HZ_PER_MEL = 200 / 3;
const LOG_FROM_HZ = 1_000;
const LOG_FROM_MEL = LOG_FROM_HZ / HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

/** Frequencies that people know, Hz, the highest first. */
const MARKS = [8_000, 4_000, 2_000, 1_000, 500, 250, 125];

export interface Bands {
  readonly sampleRate: number; // Hz
  readonly bands: number;
}

export interface Mark {
  readonly hz: number;
  /** Share of the picture's height, from its top. */
  readonly fromTop: number;
}

export function melOfHz(hz: number): number {
  return hz < LOG_FROM_HZ ? hz / HZ_PER_MEL : LOG_FROM_MEL + Math.log(hz / LOG_FROM_HZ) / LOG_STEP;
}

export function hzOfMel(mel: number): number {
  return mel < LOG_FROM_MEL ? mel * HZ_PER_MEL : LOG_FROM_HZ * Math.exp((mel - LOG_FROM_MEL) * LOG_STEP);
}

/** Share of the height, from the top; the highest band is the first row. */
export function heightOfHz(hz: number, { sampleRate, bands }: Bands): number {
  const melsPerBand = melOfHz(sampleRate / 2) / (bands + 1);
  const band = melOfHz(hz) / melsPerBand - 1; // 0 is the lowest band's centre
  return 1 - (band + 0.5) / bands;
}

/** The frequencies to write beside a picture so high, none nearer to the one above than `gapPixels`. */
export function frequencyMarks(of: Bands, heightPixels: number, gapPixels: number): readonly Mark[] {
  const marks: Mark[] = [];
  let last = -Infinity;
  for (const hz of MARKS) {
    const fromTop = heightOfHz(hz, of);
    if (fromTop < 0 || fromTop > 1 || (fromTop - last) * heightPixels < gapPixels) continue;
    marks.push({ hz, fromTop });
    last = fromTop;
  }
  return marks;
}
