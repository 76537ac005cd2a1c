// A photo or file goes straight to the bucket by a signed form, then the page hears of it: `#camera` asks for it, the
// hidden form `#camera-form` proves who asks and carries the file's name on.
(() => {
  'use strict';
  const box = document.getElementById('camera');
  if (!box) return;
  const input = box.querySelector('input[type=file]');
  const state = box.querySelector('[role=status]');
  const form = document.getElementById('camera-form');
  const slot = box.dataset.slot;
  box.hidden = false;
  input.addEventListener('change', async () => {
    const file = input.files[0];
    if (!file) return;
    state.textContent = box.dataset.waits;
    input.disabled = true;
    try {
      const asked = new URLSearchParams(new FormData(form));
      asked.set('type', file.type);
      asked.set('size', String(file.size));
      const answer = await fetch(box.dataset.upload, { method: 'POST', body: asked });
      if (!answer.ok) throw new Error(String(answer.status));
      const announced = await answer.json();
      const parcel = new FormData();
      for (const [name, value] of Object.entries(announced.upload.fields)) parcel.append(name, value);
      parcel.append('file', file);
      const sent = await fetch(announced.upload.url, { method: 'POST', body: parcel });
      if (!sent.ok) throw new Error(String(sent.status));
      form.elements[slot].value = announced[slot];
      form.submit();
    } catch (error) {
      state.textContent = box.dataset.failed;
      input.value = '';
      input.disabled = false;
    }
  });
})();
