/** WCAG 2.2 contrast of two `#rrggbb` colours, from 1 to 21. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Relative luminance of a `#rrggbb` colour, from 0 to 1. https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(hex: string): number {
  const parts = /^#(..)(..)(..)$/.exec(hex)?.slice(1).map((part) => parseInt(part, 16) / 255);
  if (!parts || parts.some(Number.isNaN)) throw new Error(`"${hex}" is not a colour like #78350f`);
  const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Ink and paper that a theme file names, or `undefined` when one of them is not written as `#rrggbb`. */
export function inkAndPaper(css: string): readonly [ink: string, paper: string] | undefined {
  const ink = /--color-primary:\s*(#[0-9a-f]{6})\s*;/i.exec(css)?.[1];
  const paper = /--color-base-100:\s*(#[0-9a-f]{6})\s*;/i.exec(css)?.[1];
  return ink && paper ? [ink, paper] : undefined;
}
