// Forms with data-passkey: ask the browser for a passkey, put its answer into the field `credential`, send the form.
// `create` and `get` find their options in the JSON that data-passkey-options names; `login` fetches them.
import { report } from "./passkey-problems.js";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-passkey]");
  if (!form) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  report(form, "");
  try {
    if (!window.PublicKeyCredential) throw new DOMException("", "NotSupportedError");
    const credential = await asked(form);
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    report(form, error.name);
  } finally {
    delete form.dataset.busy;
  }
});

async function asked(form) {
  const kind = form.dataset.passkey;
  if (kind === "login") return window.webauthnJSON.get((await fetched(form.action)).request_options);
  const options = JSON.parse(document.getElementById(form.dataset.passkeyOptions).textContent);
  if (kind === "get") return window.webauthnJSON.get(options.request_options);
  const wanted = options.creation_options;
  // One that signs in alone: kept on the device, and opened by the person.
  Object.assign(wanted.publicKey.authenticatorSelection, {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  });
  return window.webauthnJSON.create(wanted);
}

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new DOMException("", "NetworkError");
  return answer.json();
}
