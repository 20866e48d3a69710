// The cases of testvectors/verify.json, for whatever runs the loader: Node and a page in Chromium.

/** Bytes of base64 text. */
export function bytes(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** Runs every case and returns what is wrong, a line each, and how many cases there were. */
export function runVectors(verifier, VerifierError, vectors) {
  const wrong = [];
  for (const c of vectors.cases) {
    const got = answer(verifier, VerifierError, vectors, c);
    const want = { valid: c.valid, class: c.class, statement: c.statement };
    if (got.valid !== want.valid || got.class !== want.class || got.statement !== want.statement) {
      wrong.push(`${c.name}: ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);
    }
  }
  return { cases: vectors.cases.length, wrong };
}

function answer(verifier, VerifierError, vectors, c) {
  let key;
  try {
    key = verifier.load(bytes(vectors.files[c.key]), bytes(vectors.files[c.commitment]));
  } catch (e) {
    if (!(e instanceof VerifierError)) {
      throw e;
    }
    return { valid: false, class: e.class };
  }
  try {
    const options = c.context === undefined ? {} : { context: hex(c.context) };
    const report = key.verify(proof(vectors, c), options);
    return { valid: report.valid, class: report.error?.class, statement: report.statement };
  } finally {
    key.free();
  }
}

/** The proof file of a case: whole, or another file with some stretches replaced. */
export function proof(vectors, c) {
  if (c.base === undefined) {
    return bytes(c.proof ?? '');
  }
  const base = bytes(vectors.files[c.base]);
  const parts = [];
  let at = 0;
  for (const { at: next, cut, put } of c.edits ?? []) {
    parts.push(...base.slice(at, next), ...bytes(put));
    at = next + cut;
  }
  return Uint8Array.from([...parts, ...base.slice(at)]);
}

function hex(text) {
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
