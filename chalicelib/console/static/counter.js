// The counter's pages: a slip is printed, a file goes straight to the bucket and is then handed over by its name.
(() => {
  'use strict';
  for (const button of document.querySelectorAll('[data-print]')) button.addEventListener('click', () => print());

  const form = document.querySelector('form[data-upload]');
  if (!form) return;
  const said = form.querySelector('[role=status]');
  const button = form.querySelector('button');
  form.addEventListener('submit', async (event) => {
    const chosen = form.querySelector('input[type=file]').files[0];
    if (!chosen || form.dataset.sent) return;
    event.preventDefault();
    button.disabled = true;
    said.textContent = form.dataset.sending;
    const signed = JSON.parse(form.dataset.upload);
    const body = new FormData();
    for (const [name, value] of Object.entries(signed.fields)) body.append(name, value);
    body.append('file', chosen, 'rows.csv');
    try {
      const answer = await fetch(signed.url, { method: 'POST', body });
      if (!answer.ok) throw new Error(String(answer.status));
      form.dataset.sent = '1';
      form.querySelector('input[type=file]').disabled = true;
      form.submit();
    } catch {
      said.textContent = form.dataset.failed;
      button.disabled = false;
    }
  });
})();
