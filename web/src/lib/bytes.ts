/** Amounts of bytes as people read them. Pure. */

const UNITS = ["bytes", "kB", "MB", "GB"] as const;
/** As file managers and limits of servers count: 1 MB is 1024 kB. */
const STEP = 1024;

/** "812 bytes", "4.2 MB", "200 MB": below ten with one digit behind the point. */
export function byteCount(bytes: number, round: (value: number) => number = Math.round): string {
  const steps = Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(STEP));
  const power = Math.min(UNITS.length - 1, steps);
  const value = bytes / STEP ** power;
  const digits = value < 10 && power > 0 ? 10 : 1;
  return `${round(value * digits) / digits} ${UNITS[power] ?? ""}`;
}
