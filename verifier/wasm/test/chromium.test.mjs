// The loader and the exported page in headless Chromium: node --test verifier/wasm/test/chromium.test.mjs
//
// $ZKINFER names the program; without it, it is built. $SCREENSHOTS names a folder for pictures of the page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { Browser, findChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const digits = join(root, 'testvectors/digits');
const chromium = findChromium();
const skip = chromium ? false : 'there is no Chromium on this machine; $CHROMIUM can name one';

let work, browser, server;

before(async () => {
  if (skip) {
    return;
  }
  work = await mkdtemp(join(tmpdir(), 'zkinfer-page-'));
  prepare();
  server = await serve(root);
  browser = await Browser.start(chromium);
});

after(async () => {
  await browser?.close();
  server?.close();
  await rm(work ?? '', { recursive: true, force: true });
});

// prepare makes what a visitor has: pages, and proofs of a handwritten seven, shown and hidden.
function prepare() {
  const program = process.env.ZKINFER ?? join(work, 'zkinfer');
  if (!process.env.ZKINFER) {
    execFileSync('go', ['build', '-o', program, './cmd/zkinfer'], { cwd: root, stdio: 'inherit' });
  }
  const zkinfer = (...args) => execFileSync(program, [...args, '--quiet'], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
  zkinfer('import', join(root, 'testvectors/mnist-8/model.onnx'), '-o', 'mnist.zkm', '--calibrate', join(digits, 'images.idx.gz'));
  for (const input of ['public', 'private']) {
    zkinfer('setup', 'mnist.zkm', '-o', `${input}-keys`, '--unsafe-dev-setup', '--input', input);
    zkinfer('commit', 'mnist.zkm', '--keys', `${input}-keys`);
    zkinfer('prove', 'mnist.zkm', '--keys', `${input}-keys`, '--input', join(digits, '7.png'), '--context', '0x7461736b2037', '-o', `${input}.zkp`);
    zkinfer('export', 'web', '--keys', `${input}-keys`, '-o', `${input}-web`);
  }
}

// serve is a server of static files that knows nothing of what it serves.
function serve(folder) {
  const types = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.html': 'text/html', '.json': 'application/json' };
  const listener = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/empty.html') {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>empty</title>');
      return;
    }
    response.setHeader('Content-Type', types[extname(pathname)] ?? 'application/octet-stream');
    createReadStream(join(folder, decodeURIComponent(pathname))).on('error', () => response.writeHead(404).end()).pipe(response);
  });
  return new Promise((resolve) => listener.listen(0, '127.0.0.1', () => resolve(listener)));
}

const address = () => `http://127.0.0.1:${server.address().port}`;
const pageOf = (input) => pathToFileURL(join(work, `${input}-web`, 'index.html')).href;
const verdict = `document.getElementById('verdict').textContent`;
const at = (name) => join(work, name);

async function shown(page, title) {
  await page.until(`${verdict}.includes(${JSON.stringify(title)})`).catch(async () => {
    assert.fail(`expected ${title}, the page says: ${await page.value('document.body.innerText')}`);
  });
}

async function keep(page, name) {
  if (process.env.SCREENSHOTS) {
    await mkdir(process.env.SCREENSHOTS, { recursive: true });
    await writeFile(join(process.env.SCREENSHOTS, `${name}.png`), await page.picture());
  }
}

test('every shared vector has its answer in a page', { skip }, async (t) => {
  const page = await browser.open(`${address()}/empty.html`);
  const { cases, wrong, milliseconds } = await page.value(`(async () => {
    const { createVerifier, VerifierError } = await import('/verifier/wasm/npm/index.js');
    const { runVectors } = await import('/verifier/wasm/test/vectors.mjs');
    const vectors = await (await fetch('/testvectors/verify.json')).json();
    const verifier = await createVerifier();
    const start = performance.now();
    return { ...runVectors(verifier, VerifierError, vectors), milliseconds: performance.now() - start };
  })()`);
  t.diagnostic(`${cases} cases in ${milliseconds.toFixed(0)} ms`);
  assert.deepEqual(wrong, []);
  assert.ok(cases > 300);
});

test('from the disk: a proof is checked, the input drawn, and compared', { skip }, async () => {
  const page = await browser.open(pageOf('public'));
  await shown(page, 'Ready');
  await page.choose('#choose', [at('public.zkp'), join(digits, '7.png')]);
  await shown(page, '✓ Valid');
  await keep(page, 'valid-light');
  const text = await page.value('document.body.innerText');
  for (const want of ['Exactly what is in 7.png', '(“task 7”)', '28 × 28 pixels', 'for development']) {
    assert.ok(text.includes(want), `no “${want}” in ${text}`);
  }
  assert.equal(await page.value(`document.querySelector('tr.greatest th').textContent`), '7 ◂ max');
  assert.deepEqual(await drawn(page), await original(page));
  assert.deepEqual(page.requests, [pageOf('public')], 'it asked for something');
  assert.deepEqual(page.complaints, []);
});

// drawn are the pixels of the canvas, original those of the digit's PNG, which is grey.
const drawn = (page) => page.value(`(() => {
  const c = document.querySelector('canvas');
  return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_v, i) => i % 4 === 0);
})()`);

async function original(page) {
  const png = (await readFile(join(digits, '7.png'))).toString('base64');
  return page.value(`(async () => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob('${png}'), (c) => c.charCodeAt(0))]));
    const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    c.drawImage(bitmap, 0, 0);
    return [...c.getImageData(0, 0, bitmap.width, bitmap.height).data].filter((_v, i) => i % 4 === 0);
  })()`);
}

test('another input, another context, other keys, damaged files', { skip }, async () => {
  const page = await browser.open(pageOf('public'));
  await shown(page, 'Ready');
  await page.choose('#choose', [at('public.zkp'), join(digits, '3.png')]);
  await shown(page, 'Proved for another input');
  await keep(page, 'other-input');
  assert.equal(await page.value(`document.getElementById('banner').dataset.state`), 'rejected');

  await demand(page, '0x01');
  await shown(page, '✗ Rejected');
  assert.equal(await page.value(`document.getElementById('proved').hidden`), true, 'a rejected claim is shown');
  await demand(page, '0x1');
  await shown(page, 'Not checked');
  await demand(page, '0x7461736B2037');
  await shown(page, 'Proved for');
  await demand(page, '');

  await page.choose('#choose', [at('private.zkp')]);
  await shown(page, 'do not belong together');
  await page.choose('#choose', [at('private-keys/verifying.key')]);
  await shown(page, 'do not belong together');
  await page.choose('#choose', [at('private-keys/model.zkc')]);
  await shown(page, '✓ Valid');
  assert.ok((await page.value('document.body.innerText')).includes('whether it is the one in your file cannot be seen'));

  const damaged = await readFile(at('private.zkp'));
  damaged[200] ^= 1;
  await writeFile(at('damaged.zkp'), damaged);
  await page.choose('#choose', [at('damaged.zkp')]);
  await shown(page, 'Not a proof that can be checked');
  await writeFile(at('nothing.zkp'), 'nothing');
  await page.choose('#choose', [at('nothing.zkp')]);
  await shown(page, 'Not a proof that can be checked');
  await page.choose('#choose', [at('private-keys/model.secret')]);
  await shown(page, 'Not a file for this page');
  assert.deepEqual(page.complaints, []);
});

const demand = (page, context) => page.value(`(() => {
  const field = document.getElementById('context');
  field.value = ${JSON.stringify(context)};
  field.dispatchEvent(new Event('input'));
})()`);

test('dropping files is as good as choosing them', { skip }, async () => {
  const page = await browser.open(pageOf('public'));
  await shown(page, 'Ready');
  const proof = (await readFile(at('public.zkp'))).toString('base64');
  await page.value(`(() => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob('${proof}'), (c) => c.charCodeAt(0))], 'seven.zkp'));
    document.body.dispatchEvent(new DragEvent('dragover', { bubbles: true, cancelable: true, dataTransfer: data }));
    document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
  })()`);
  await shown(page, '✓ Valid');
  assert.ok((await page.value(`document.getElementById('file-proof').textContent`)).startsWith('seven.zkp'));
});

test('inputs as JSON and as raw values', { skip }, async () => {
  const page = await browser.open(pageOf('public'));
  await shown(page, 'Ready');
  await page.choose('#choose', [at('public.zkp')]);
  await shown(page, '✓ Valid');
  const pixels = await drawn(page);
  await writeFile(at('pixels.json'), JSON.stringify({ input_data: [pixels] }));
  await writeFile(at('short.json'), JSON.stringify(pixels.slice(1)));
  const raw = Buffer.from(Uint8Array.from(pixels));
  await writeFile(at('pixels.raw'), raw);
  await writeFile(at('several.raw'), Buffer.concat([raw, Buffer.alloc(784)]));
  await writeFile(at('cut.raw'), raw.subarray(1));
  for (const [name, says] of [['pixels.json', 'Exactly what is in pixels.json'], ['short.json', 'Not compared with short.json: expected 784'],
    ['pixels.raw', 'Exactly what is in pixels.raw'], ['several.raw', 'Exactly what is in several.raw'], ['cut.raw', 'Not compared with cut.raw']]) {
    await page.choose('#choose', [at(name)]);
    await page.until(`document.body.innerText.includes(${JSON.stringify(says)})`);
  }
});

test('from a server, in the dark and on a narrow screen; a private input stays hidden', { skip }, async () => {
  const files = await serve(work);
  try {
    const url = `http://127.0.0.1:${files.address().port}/private-web/index.html`;
    const page = await browser.open(url, { dark: true, width: 390, height: 900 });
    await shown(page, 'Ready');
    await page.choose('#choose', [at('private.zkp')]);
    await shown(page, '✓ Valid');
    await keep(page, 'private-dark-narrow');
    assert.equal(await page.value(`document.querySelector('canvas')`), null);
    assert.ok((await page.value('document.body.innerText')).includes('Private'));
    assert.equal(await page.value('document.documentElement.scrollWidth <= innerWidth'), true, 'it scrolls sideways');
    assert.deepEqual(page.requests, [url]);
    assert.deepEqual(page.complaints, []);
  } finally {
    files.close();
  }
});

test('accessibility: axe-core finds nothing, light or dark', { skip }, async (t) => {
  let axe;
  try {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  } catch {
    t.skip('axe-core is not installed: npm ci in verifier/wasm/test');
    return;
  }
  for (const dark of [false, true]) {
    const page = await browser.open(pageOf('public'), { dark });
    await shown(page, 'Ready');
    await page.choose('#choose', [at('public.zkp'), join(digits, dark ? '3.png' : '7.png')]);
    await shown(page, dark ? 'Proved for' : 'Valid');
    await keep(page, dark ? 'other-input-dark' : 'axe-light');
    await page.value(axe);
    const found = await page.value(`axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))`);
    assert.deepEqual(found, [], dark ? 'dark' : 'light');
  }
});

test('it can be used with the keyboard alone', { skip }, async () => {
  const page = await browser.open(pageOf('public'));
  await shown(page, 'Ready');
  const reached = [];
  for (let i = 0; i < 3; i++) {
    for (const type of ['keyDown', 'keyUp']) {
      await page.send('Input.dispatchKeyEvent', { type, key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
    }
    reached.push(await page.value('document.activeElement.id || document.activeElement.tagName'));
  }
  assert.deepEqual(reached, ['choose', 'context', 'SUMMARY']);
});
