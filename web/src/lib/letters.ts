/** How large letters are. It measures none of them. */

/** 1 where they have the size that browsers begin with, 2 where somebody has them twice as large. */
export function letterScale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
}
