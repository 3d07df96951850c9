// <input type="file" data-most-bytes> says that a file is too large before it is sent.
document.addEventListener("change", ({ target }) => {
  const most = Number(target.dataset?.mostBytes);
  if (!most) return;
  target.setCustomValidity(target.files[0]?.size > most ? target.dataset.tooLarge : "");
  target.reportValidity();
});
