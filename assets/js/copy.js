import { toast } from "./toast.js";
import { words } from "./words.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  toast(words((await copied(text, source)) ? "copied" : "copyFailed"));
});

async function copied(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No clipboard on plain http from another machine: select the text, try the old way, leave it selected.
    getSelection().selectAllChildren(source);
    source.select?.();
    return document.execCommand("copy");
  }
}
