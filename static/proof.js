// Proof of work while a person types: find the number whose hash the server asked for. Without
// this, or where the browser offers no hashing (plain http), the form is sent all the same.
"use strict";
(async () => {
  const form = document.querySelector("form[data-proof]");
  const answer = form && form.elements.proof;
  if (!answer || !window.crypto || !crypto.subtle) return;
  const asked = JSON.parse(form.dataset.proof), encoder = new TextEncoder();
  const hex = (bytes) => [...new Uint8Array(bytes)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const batch = 200;
  for (let start = 0; start <= asked.maxnumber; start += batch) {
    const numbers = Array.from({ length: batch }, (_, i) => start + i);
    const hashes = await Promise.all(numbers.map((n) => crypto.subtle.digest("SHA-256", encoder.encode(asked.salt + n))));
    const found = hashes.findIndex((hash) => hex(hash) === asked.challenge);
    if (found >= 0) {
      const { algorithm, challenge, salt, signature } = asked;
      answer.value = btoa(JSON.stringify({ algorithm, challenge, number: start + found, salt, signature }));
      return;
    }
  }
})();
