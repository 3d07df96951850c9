// The rows of a form's fields: add, remove (and take back), reorder. Alpine's CSP build calls these by name.
// The rows are in the page already, so that without scripts they are plain inputs with a few blank ones at the end.
import { announce } from "./toast.js";
import { words } from "./words.js";

const spelt = { ß: "ss", æ: "ae", ø: "o", œ: "oe", ł: "l", đ: "d", þ: "th" };
const slug = (text) =>
  text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[ßæøœłđþ]/g, (letter) => spelt[letter]).replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 40);

document.addEventListener("alpine:init", () => {
  globalThis.Alpine.data("fieldRows", () => ({
    next: 0,

    init() {
      for (const row of this.$root.querySelectorAll("[data-spare]")) row.remove();
      this.next = Number(this.$root.dataset.next);
      this.number();
    },

    rows() {
      return [...this.$refs.rows.children].filter((row) => !row.dataset.removed);
    },

    // The order in the page is the order that is saved.
    number() {
      this.rows().forEach((row, at) => {
        row.querySelector("[data-position]").value = at + 1;
        row.querySelector("[data-up-button]").disabled = at === 0;
        row.querySelector("[data-down-button]").disabled = at === this.rows().length - 1;
      });
    },

    add() {
      const html = this.$refs.blank.innerHTML.replaceAll("__i__", String(this.next));
      this.next += 1;
      this.$refs.rows.insertAdjacentHTML("beforeend", html);
      this.number();
      this.$refs.rows.lastElementChild.querySelector("[data-label]").focus();
      announce(words("added"));
    },

    up() {
      this.shift(this.$el.closest("[data-field-row]"), -1);
    },

    down() {
      this.shift(this.$el.closest("[data-field-row]"), 1);
    },

    shift(row, step) {
      const all = this.rows();
      const other = all[all.indexOf(row) + step];
      if (!other) return;
      if (step < 0) other.before(row);
      else other.after(row);
      this.number();
      const button = row.querySelector(step < 0 ? "[data-up-button]" : "[data-down-button]");
      (button.disabled ? row.querySelector("[data-label]") : button).focus();
      announce(words("moved", this.rows().indexOf(row) + 1));
    },

    // A removed row is disabled, so it is not sent, and stays as one line that takes it back.
    remove() {
      const row = this.$el.closest("[data-field-row]");
      row.dataset.removed = "1";
      row.querySelector("[data-body]").disabled = true;
      row.querySelector("[data-body]").hidden = true;
      row.querySelector("[data-gone]").hidden = false;
      row.querySelector("[data-gone-name]").textContent = row.querySelector("[data-label]").value;
      row.querySelector("[data-restore]").focus();
      this.number();
      announce(words("removed"));
    },

    restore() {
      const row = this.$el.closest("[data-field-row]");
      delete row.dataset.removed;
      row.querySelector("[data-body]").disabled = false;
      row.querySelector("[data-body]").hidden = false;
      row.querySelector("[data-gone]").hidden = true;
      row.querySelector("[data-label]").focus();
      this.number();
    },
  }));

  globalThis.Alpine.data("fieldRow", () => ({
    type: "text",
    named: false,

    init() {
      this.type = this.$root.querySelector("[data-type]").value;
      this.named = this.$root.querySelector("[data-name]").value !== "";
    },

    get choice() {
      return this.type === "select" || this.type === "checkbox";
    },

    get typing() {
      return !this.choice && this.type !== "file";
    },

    typed() {
      this.type = this.$el.value;
    },

    // The name follows the label until somebody writes one.
    labelled() {
      if (!this.named) this.$root.querySelector("[data-name]").value = slug(this.$el.value);
    },

    renamed() {
      this.named = this.$el.value !== "";
    },
  }));
});
