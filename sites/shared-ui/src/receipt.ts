/**
 * A receipt as people read it, `K7QF-2M9X-4TDA`: twelve characters of Crockford's base 32 in fours.
 * Empty when the text is no receipt.
 */
export function showReceipt(text: string): string {
  const plain = text.replaceAll("-", "").trim().toUpperCase();
  if (!/^[0-9A-HJKMNP-TV-Z]{12}$/.test(plain)) return "";
  return plain.replace(/(.{4})(?=.)/g, "$1-");
}
