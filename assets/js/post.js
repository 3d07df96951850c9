// Sends an action that no form on the page stands for. Answers whether it went through.
export function post(url, values = {}) {
  return new Promise((resolve) => {
    const marker = document.createElement("form"); // an element of its own, so that the answer touches no row
    marker.hidden = true;
    document.body.append(marker);
    marker.addEventListener("htmx:afterRequest", (event) => {
      setTimeout(() => marker.remove());
      resolve(event.detail.successful && event.detail.xhr.responseURL.indexOf(document.body.dataset.login) < 0);
    });
    // It rejects when nothing answered; guard.js says so, and the event above has given the answer here.
    globalThis.htmx.ajax("POST", url, { source: marker, swap: "none", values }).catch(() => resolve(false));
  });
}
