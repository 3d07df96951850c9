// What is said when a passkey was not used, in the words that the page carries.
const kinds = {
  NotSupportedError: "none",
  SecurityError: "none",
  InvalidStateError: "again",
  NetworkError: "away",
  TypeError: "away",
};

export function report(form, name) {
  const place = form.querySelector("[data-passkey-problem]");
  place.hidden = !name;
  place.textContent = name ? place.dataset[kinds[name] ?? "refused"] : "";
}
