// The page: files come in by dropping or choosing, and whenever one of
// them changes everything is checked anew. createVerifier and VerifierError are the loader's, which stands
// before this in the same script.

const element = (id) => document.getElementById(id);
const maxRows = 256; // of a table of values

const state = { verifier: undefined, key: undefined, commitment: undefined, proof: undefined, input: undefined };

start();

async function start() {
  listen();
  try {
    state.verifier = await createVerifier({ wasm: embedded('module') });
  } catch (e) {
    show('rejected', 'This browser cannot run the verifier', String(e.message));
    return;
  }
  const name = 'came with this page';
  state.key = { name, bytes: embedded('own-key') };
  state.commitment = { name, bytes: embedded('own-commitment') };
  await update();
}

function embedded(id) {
  return Uint8Array.from(atob(element(id).textContent.trim()), (c) => c.charCodeAt(0));
}

function listen() {
  element('choose').addEventListener('change', (e) => take([...e.target.files]));
  element('context').addEventListener('input', update);
  // A drag over a child fires leave on its parent: only the one that leaves the window counts.
  addEventListener('dragover', (e) => {
    e.preventDefault();
    document.body.classList.add('dragging');
  });
  addEventListener('dragleave', (e) => e.relatedTarget ?? document.body.classList.remove('dragging'));
  addEventListener('drop', (e) => {
    e.preventDefault();
    document.body.classList.remove('dragging');
    take([...e.dataTransfer.files]);
  });
}

// take puts files where their content, or else their name, says that they belong.
async function take(files) {
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const place = placeOf(file.name, bytes);
    if (place === undefined) {
      show('rejected', 'Not a file for this page', `${file.name}: a model or a prover's secret is never needed to check a proof. It was not read.`);
      element('choose').value = '';
      return;
    }
    state[place] = { name: file.name, bytes, type: file.type };
  }
  element('choose').value = ''; // so that the same file can be chosen again
  await update();
}

function placeOf(name, bytes) {
  const text = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, 7) === 'zkinfer') {
    return { zkvk: 'key', 'zkc ': 'commitment', 'zkp ': 'proof', 'zkm ': undefined, 'zks ': undefined }[text(8, 12)];
  }
  // What is only called a proof must be refused as one, and not be taken for an input.
  const byName = { zkp: 'proof', zkc: 'commitment', key: 'key' };
  return byName[name.slice(name.lastIndexOf('.') + 1)] ?? 'input';
}

// update checks what there is. A later one makes an earlier one, still reading an image, of no account.
let updates = 0;
async function update() {
  const turn = ++updates;
  for (const place of ['proof', 'input', 'key', 'commitment']) {
    const file = state[place];
    element(`file-${place}`).textContent = file ? `${file.name} (${file.bytes.length.toLocaleString('en')} bytes)` : place === 'input' ? 'none' : 'none yet';
  }
  element('proved').hidden = element('basis').hidden = true;
  if (!state.verifier) {
    return;
  }
  const outcome = check();
  const comparison = outcome.report ? await compare(outcome.info, outcome.report) : undefined;
  if (turn === updates) {
    present(outcome, comparison);
  }
}

// check loads the key, which is quick, and verifies the proof if there is one.
function check() {
  let key;
  try {
    key = state.verifier.load(state.key.bytes, state.commitment.bytes);
    const info = key.info;
    if (!state.proof) {
      return { info };
    }
    const context = demandedContext();
    const start = performance.now();
    const report = key.verify(state.proof.bytes, context === undefined ? {} : { context });
    const milliseconds = performance.now() - start;
    return report.valid ? { info, report, milliseconds } : { info, error: report.error };
  } catch (e) {
    if (!(e instanceof VerifierError)) {
      throw e;
    }
    return { error: e };
  } finally {
    key?.free();
  }
}

function demandedContext() {
  const text = element('context').value.trim();
  const digits = text.replace(/^0x/i, '');
  if (text === '') {
    return undefined;
  }
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new VerifierError({ class: 'usage', message: 'the context that you demand is not in hexadecimal' });
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function present({ info, report, error, milliseconds }, comparison) {
  if (info) {
    showBasis(info, report);
  }
  if (error) {
    const titles = { rejected: 'Rejected', usage: 'Not checked', bad_statement: 'Rejected', key_mismatch: 'These files do not belong together' };
    show('rejected', titles[error.class] ?? 'Not a proof that can be checked', `${error.message} (${error.class})`);
    return;
  }
  if (!report) {
    show('waiting', 'Ready', `Drop a proof for “${info.model}”.`);
    return;
  }
  if (comparison?.differs) {
    show('rejected', 'Proved for another input', 'The proof is valid for the input below, which is not the one in your file.');
  } else {
    show('valid', 'Valid', `Checked in ${milliseconds.toFixed(0)} ms.`);
  }
  showProved(info, report, comparison);
}

function show(kind, title, reason) {
  element('banner').dataset.state = kind;
  const marks = { valid: '✓ ', rejected: '✗ ', waiting: '' };
  element('verdict').textContent = marks[kind] + title;
  element('reason').textContent = reason;
}

function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function showBasis(info, report) {
  element('basis').hidden = false;
  const unsafe = info.trusted_setup === 'unsafe-dev';
  const setup = element('setup');
  setup.className = unsafe ? 'note caution' : '';
  setup.textContent = unsafe
    ? 'The keys were made by one party, who could forge proofs. They are for development.'
    : `Setup: ${info.trusted_setup}${info.ceremony ? `, transcript ${info.ceremony}` : ''}. It is sound if one of its parties forgot its secrets.`;
  const rows = [
    ['Model', info.model],
    ['Model commitment', info.model_commitment],
    ['Verifying key', info.verifying_key],
    ['Made by', info.version],
  ];
  if (report) {
    rows.push(['Statement', report.statement]);
  }
  element('digests').replaceChildren(...rows.map(([name, value]) => node('div', {}, node('dt', {}, name), node('dd', { class: 'mono' }, value))));
}

function showProved(info, report, comparison) {
  element('proved').hidden = false;
  element('sentence').replaceChildren(
    `The model committed to as ${info.model_commitment.slice(0, 12)}… gives this output for this input, in `,
    ...describeContext(report.context),
    '.',
  );
  const parts = [];
  report.inputs.forEach((t, i) => parts.push(tensorFigure('Input', t, info.inputs[i], info, comparison?.[i])));
  report.outputs.forEach((t, i) => parts.push(tensorFigure('Output', t, info.outputs[i], info)));
  element('tensors').replaceChildren(...parts);
}

// describeContext shows a context as text too, where that is what it seems to be.
function describeContext(hex) {
  if (hex === '0x') {
    return ['an empty context'];
  }
  const bytes = Uint8Array.from(hex.slice(2).match(/../g), (pair) => parseInt(pair, 16));
  const text = bytes.every((b) => b >= 0x20 && b < 0x7f) ? ` (“${String.fromCharCode(...bytes)}”)` : '';
  return ['context ', node('code', {}, hex.length > 130 ? `${hex.slice(0, 130)}…` : hex), text];
}

function tensorFigure(side, tensor, spec, info, comparison) {
  const figure = node('figure', {}, node('h3', {}, `${side} “${tensor.name}”`));
  const image = side === 'Input' && imageLayout(spec.shape, info.pixel_scale);
  if (tensor.commitment) {
    figure.append(node('p', {}, 'Private: the proof shows only a commitment to it.'), node('p', { class: 'mono' }, tensor.commitment));
  } else if (image) {
    figure.append(drawing(tensor.ints, spec, image, info));
  } else {
    figure.append(valueTable(tensor, spec));
  }
  if (comparison) {
    figure.append(node('p', { class: `note ${comparison.kind}` }, comparison.text));
  }
  return figure;
}

// imageLayout reads shapes as the command line does: [1, C, H, W] and [1, H, W, C], with or without the
// leading 1, C being 1 or 3; and [H, W]. Small ones are images only if the model's owner says so.
function imageLayout(shape, pixelScale) {
  const s = shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape;
  const colours = (n) => n === 1 || n === 3;
  let layout;
  if (s.length === 3 && colours(s[0])) {
    const [channels, height, width] = s;
    layout = { channels, height, width, index: (c, y, x) => (c * height + y) * width + x };
  } else if (s.length === 3 && colours(s[2])) {
    const [height, width, channels] = s;
    layout = { channels, height, width, index: (c, y, x) => (y * width + x) * channels + c };
  } else if (s.length === 2 && s[0] > 1) {
    const [height, width] = s;
    layout = { channels: 1, height, width, index: (_c, y, x) => y * width + x };
  }
  const drawn = layout && (pixelScale?.length > 0 || (layout.height >= 8 && layout.width >= 8));
  return drawn ? layout : undefined;
}

const perChannel = (values, c, otherwise) => (values?.length ? values[values.length === 1 ? 0 : c] : otherwise);

function drawing(ints, spec, { channels, height, width, index }, info) {
  const canvas = node('canvas', { role: 'img', 'aria-label': `The proved input as an image of ${width} by ${height} pixels` });
  canvas.width = width;
  canvas.height = height;
  const data = new ImageData(width, height);
  const pixel = (q, c) =>
    info.pixel_scale?.length
      ? (spec.scale * (q - spec.zero) + perChannel(info.pixel_mean, c, 0)) / perChannel(info.pixel_scale, c, 1)
      : (255 * (q - spec.min)) / Math.max(1, spec.max - spec.min);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      for (let c = 0; c < 3; c++) {
        const from = Math.min(c, channels - 1);
        data.data[at + c] = pixel(ints[index(from, y, x)], from);
      }
      data.data[at + 3] = 255;
    }
  }
  canvas.getContext('2d').putImageData(data, 0, 0);
  return node('div', {}, canvas, node('figcaption', { class: 'quiet' }, `${width} × ${height} pixels, drawn from the proved integers`));
}

function valueTable(tensor, spec) {
  const real = tensor.values ?? tensor.ints.map((q) => spec.scale * (q - spec.zero));
  const greatest = tensor.ints.indexOf(tensor.ints.reduce((a, b) => Math.max(a, b)));
  const least = tensor.ints.reduce((a, b) => Math.min(a, b));
  const rows = tensor.ints.slice(0, maxRows).map((q, i) =>
    node('tr', i === greatest && tensor.ints.length > 1 ? { class: 'greatest' } : {},
      node('th', { scope: 'row' }, String(i), ...(i === greatest && tensor.ints.length > 1 ? [node('span', { class: 'quiet' }, ' ◂ max')] : [])),
      node('td', {}, format(real[i])),
      node('td', {}, String(q)),
      node('td', {}, bar(q, least, tensor.ints[greatest]))));
  const head = ['Index', 'Value', 'Integer', 'Compared'].map((text) => node('th', { scope: 'col' }, text));
  const table = node('table', {}, node('thead', {}, node('tr', {}, ...head)), node('tbody', {}, ...rows));
  const box = node('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Values of ${tensor.name}` }, table);
  if (tensor.ints.length > maxRows) {
    box.append(node('p', { class: 'quiet' }, `and ${(tensor.ints.length - maxRows).toLocaleString('en')} more`));
  }
  return box;
}

function format(value) {
  return value === null ? '–' : String(Number(value.toPrecision(6)));
}

function bar(value, least, greatest) {
  const meter = node('meter', { min: least, max: Math.max(greatest, least + 1), 'aria-label': `${value} between ${least} and ${greatest}` });
  meter.value = value;
  return meter;
}

// compare holds the file that the visitor expects as the input against what was proved.
async function compare(info, report) {
  if (!state.input) {
    return undefined;
  }
  const remark = (kind, text) => ({ ...report.inputs.map(() => ({ kind, text })), differs: kind === 'differs' });
  if (report.inputs.some((t) => t.commitment)) {
    return remark('caution', 'The input is private: whether it is the one in your file cannot be seen.');
  }
  let expected;
  try {
    expected = await readInput(state.input, info);
  } catch (e) {
    return remark('caution', `Not compared with ${state.input.name}: ${e.message}`);
  }
  const result = { differs: false };
  report.inputs.forEach((t, i) => {
    const wrong = t.ints.filter((q, k) => q !== expected[i][k]).length;
    result.differs ||= wrong > 0;
    const hint = state.input.type === 'image/jpeg' ? ' Decoders of JPEG differ in their last digit: compare a PNG.' : '';
    result[i] = wrong === 0
      ? { kind: 'same', text: `Exactly what is in ${state.input.name}.` }
      : { kind: 'differs', text: `Not what is in ${state.input.name}: ${wrong.toLocaleString('en')} of ${t.ints.length.toLocaleString('en')} values differ.${hint}` };
  });
  return result;
}

// readInput are the integers of an image, of JSON, or of raw values, as zkinfer verify --input has them.
async function readInput(file, info) {
  const { bytes } = file;
  const png = bytes[0] === 0x89 && bytes[1] === 0x50;
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (png || jpeg) {
    return [await pixelsOf(bytes, info)];
  }
  if (bytes[0] === 0x5b || bytes[0] === 0x7b) {
    return numbersOf(JSON.parse(new TextDecoder().decode(bytes)), info);
  }
  return rawValues(bytes, info);
}

const volume = (spec) => spec.shape.reduce((a, b) => a * b, 1);

// quantize rounds half to even and clamps, as preparing an input does.
function quantize(real, spec) {
  const exact = real / spec.scale;
  const down = Math.floor(exact);
  const half = exact - down;
  const rounded = half < 0.5 || (half === 0.5 && down % 2 === 0) ? down : down + 1;
  return Math.min(spec.max, Math.max(spec.min, rounded + spec.zero));
}

async function pixelsOf(bytes, info) {
  const [spec] = info.inputs;
  const layout = imageLayout(spec.shape, [1]);
  if (info.inputs.length !== 1 || !layout) {
    throw new Error('the model does not take one image');
  }
  const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { channels, height, width, index } = layout;
  if (bitmap.width !== width || bitmap.height !== height) {
    throw new Error(`it has ${bitmap.width} × ${bitmap.height} pixels, the model takes ${width} × ${height}`);
  }
  const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  canvas.drawImage(bitmap, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);
  const out = new Array(channels * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const rgb = data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3);
      for (let c = 0; c < channels; c++) {
        const pixel = channels === 1 ? luma(rgb) : rgb[c];
        out[index(c, y, x)] = quantize(pixel * perChannel(info.pixel_scale, c, 1) - perChannel(info.pixel_mean, c, 0), spec);
      }
    }
  }
  return out;
}

// luma is the grey value of a colour (ITU-R BT.601), in the fixed point that the command line uses.
const luma = ([r, g, b]) => (19595 * r + 38470 * g + 7471 * b + (1 << 15)) >> 16;

// numbersOf reads real values: an array in any nesting, or {"input_data": [an array an input]}.
function numbersOf(json, info) {
  const lists = Array.isArray(json) ? [json] : json.input_data;
  if (!Array.isArray(lists) || lists.length !== info.inputs.length) {
    throw new Error(`expected an array for each of ${info.inputs.length} inputs`);
  }
  return info.inputs.map((spec, i) => {
    const flat = lists[i].flat(Infinity);
    if (flat.length !== volume(spec) || flat.some((v) => typeof v !== 'number')) {
      throw new Error(`expected ${volume(spec)} numbers, found ${flat.length} values`);
    }
    return flat.map((v) => quantize(v, spec));
  });
}

// rawValues reads quantized values, little-endian in the inputs' types, one input after another: the first
// sample of a file of several.
function rawValues(bytes, info) {
  const readers = { int8: [1, 'getInt8'], uint8: [1, 'getUint8'], int16: [2, 'getInt16'], uint16: [2, 'getUint16'], int32: [4, 'getInt32'] };
  const expected = info.inputs.reduce((sum, spec) => sum + volume(spec) * readers[spec.type][0], 0);
  if (bytes.length === 0 || bytes.length % expected !== 0) {
    throw new Error(`it is no PNG, JPEG or JSON, and raw values would have ${expected} bytes a sample`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  return info.inputs.map((spec) => {
    const [size, read] = readers[spec.type];
    const out = Array.from({ length: volume(spec) }, (_v, k) => view[read](at + k * size, true));
    at += out.length * size;
    return out;
  });
}
