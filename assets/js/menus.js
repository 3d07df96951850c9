// Menus (<details data-drop>) close on Escape, on a click elsewhere and when another opens; dialogs open by their id.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open-dialog]");
  if (opener) openDialog(opener.dataset.openDialog);
  for (const menu of document.querySelectorAll("details[data-drop][open]")) {
    if (opener || !menu.contains(event.target)) menu.open = false;
  }
  if (event.target instanceof HTMLDialogElement) event.target.close(); // the backdrop
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-drop][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details[data-drop][open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

// What was sent from a panel is done, and said: the panel closes and its button has the focus.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.requestConfig.elt;
  if (!form.matches("[data-closes]") || !event.detail.successful) return;
  const menu = form.closest("details[data-drop]");
  menu.open = false;
  menu.querySelector("summary").focus();
});

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.dispatchEvent(new CustomEvent("consult:opened", { bubbles: true }));
}

// After a form came back with errors the summary is the place to start.
document.addEventListener("DOMContentLoaded", () => document.querySelector("[data-error-summary]")?.focus());
