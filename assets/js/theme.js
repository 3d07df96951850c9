// Runs before the first paint (a blocking script in <head>), so that a chosen theme never flashes.
// Without a choice there is no attribute, and the style sheet follows the system.
const root = document.documentElement;
root.classList.add("js");

function stored() {
  try {
    return localStorage.getItem("consult-theme");
  } catch {
    return null; // storage is blocked: the system decides
  }
}

function apply(choice) {
  if (choice === "light") root.dataset.theme = "consult";
  else if (choice === "dark") root.dataset.theme = "consult-dark";
  else delete root.dataset.theme;
}

function mark() {
  const current = stored() ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

apply(stored());

document.addEventListener("DOMContentLoaded", mark);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-theme-choice]");
  if (!button) return;
  const choice = button.dataset.themeChoice;
  try {
    if (choice === "system") localStorage.removeItem("consult-theme");
    else localStorage.setItem("consult-theme", choice);
  } catch {
    // storage is blocked: the choice holds for this page only
  }
  apply(choice);
  mark();
});
addEventListener("storage", (event) => {
  if (event.key !== "consult-theme") return;
  apply(stored());
  mark();
});
