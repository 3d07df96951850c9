// The sentences of the scripts live in the page (layouts/words.html), where they are translated.
export function words(name, number) {
  const text = document.getElementById("words")?.dataset[name] ?? "";
  return number === undefined ? text : text.replace("{n}", String(number));
}
