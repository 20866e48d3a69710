// The verifier of zkinfer as a library for Node and browsers: it loads the WebAssembly module, gives it the
// few system calls that Go's runtime makes, and turns bytes into reports. Types and documentation: index.d.ts.
//
// This file imports nothing, so that it can be put into a page as it is.

const ABI = 1;

/** An error of the verifier, with the class that `zkinfer verify --json` gives it. */
export class VerifierError extends Error {
  constructor(failure) {
    super(failure.message);
    this.name = 'VerifierError';
    this.class = failure.class;
  }
}

/** Compiles the module and starts it. */
export async function createVerifier({ wasm } = {}) {
  const module = await compile(await (wasm ?? bundledModule()));
  const system = new System();
  const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: system.calls() });
  system.memory = instance.exports.memory;
  instance.exports._initialize();
  if (instance.exports.zkinfer_abi() !== ABI) {
    throw new VerifierError({ class: 'unsupported_version', message: 'the WebAssembly module is not the one that this loader is for' });
  }
  return new Verifier(instance.exports, system);
}

// bundledModule is the module that lies beside this file.
async function bundledModule() {
  const url = new URL('./verifier.wasm.gz', import.meta.url);
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises');
    return readFile(url);
  }
  const response = await fetch(url);
  if (!response.ok) {
    throw new VerifierError({ class: 'file_not_found', message: `${url}: ${response.status} ${response.statusText}` });
  }
  return response.arrayBuffer();
}

// compile takes a module, plain or compressed: servers and bundlers differ in who decompresses it.
async function compile(source) {
  if (source instanceof WebAssembly.Module) {
    return source;
  }
  const bytes = asBytes(source, 'the module');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    return WebAssembly.compile(bytes);
  }
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(plain).arrayBuffer());
}

function asBytes(value, what) {
  if (value instanceof ArrayBuffer) {
    return new Uint8Array(value);
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new TypeError(`${what}: expected a Uint8Array or an ArrayBuffer`);
}

/** A running module. */
export class Verifier {
  #exports;
  #system;
  #ended = false;

  constructor(exports, system) {
    this.#exports = exports;
    this.#system = system;
  }

  /** Bytes of the module's memory, which never shrinks. */
  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Loads a verifying key with the model commitment made for it. */
  load(verifyingKey, modelCommitment) {
    const key = asBytes(verifyingKey, 'the verifying key');
    const { returned, response } = this.#call('zkinfer_load', [key, asBytes(modelCommitment, 'the model commitment')], key.length);
    if (returned === 0) {
      throw new VerifierError(response.error);
    }
    return new Key(returned, response, (name, parts, ...numbers) => this.#call(name, parts, ...numbers));
  }

  // #call writes the parts of a request one after another into the module, makes a call and reads the
  // response. The module's memory may move whenever it runs.
  #call(name, parts, ...numbers) {
    if (this.#ended) {
      throw new VerifierError({ class: 'failure', message: 'the module has ended; create another verifier' });
    }
    try {
      const size = parts.reduce((sum, part) => sum + part.length, 0);
      let at = this.#exports.zkinfer_buffer(Math.min(size, 0x7fffffff)) >>> 0;
      if (at === 0) {
        throw new VerifierError({ class: 'too_large', message: `files of ${size} bytes together are more than the module takes` });
      }
      for (const part of parts) {
        new Uint8Array(this.#exports.memory.buffer).set(part, at);
        at += part.length;
      }
      const returned = this.#exports[name](...numbers);
      return { returned, response: this.#response() };
    } catch (e) {
      if (e instanceof VerifierError) {
        throw e;
      }
      this.#ended = true;
      throw new VerifierError({ class: 'failure', message: `the module ended: ${e.message} ${this.#system.printed()}`.trim() });
    }
  }

  #response() {
    const at = this.#exports.zkinfer_response() >>> 0;
    const bytes = new Uint8Array(this.#exports.memory.buffer, at, this.#exports.zkinfer_response_size());
    return JSON.parse(new TextDecoder().decode(bytes));
  }
}

/** A verifying key with its model commitment. */
export class Key {
  #handle;
  #call;

  constructor(handle, info, call) {
    this.#handle = handle;
    this.#call = call;
    this.info = info;
  }

  /** Checks the contents of a .zkp file. */
  verify(proof, { context } = {}) {
    const file = asBytes(proof, 'the proof');
    const parts = context === undefined ? [file] : [file, asBytes(context, 'the context')];
    const { returned, response } = this.#call('zkinfer_check', parts, this.#handle, file.length, parts.length - 1);
    // Both say it, or neither: a report that was damaged on its way counts for nothing.
    if (response.valid !== (returned === 1)) {
      throw new VerifierError({ class: 'failure', message: 'the module contradicts itself' });
    }
    return response;
  }

  /** Frees what the module holds for this key. */
  free() {
    this.#call('zkinfer_unload', [], this.#handle);
  }
}

// Error numbers of WASI.
const SUCCESS = 0;
const BADF = 8;

// System is what Go's runtime finds of WASI: clocks and random numbers, nothing to read, and a place for
// the message of a crash. There are no files, arguments or variables.
class System {
  memory = undefined;
  #text = '';

  calls() {
    const absent = () => BADF;
    const none = (count, size) => {
      this.#put(count, 0);
      this.#put(size, 0);
      return SUCCESS;
    };
    return {
      args_get: () => SUCCESS,
      args_sizes_get: none,
      environ_get: () => SUCCESS,
      environ_sizes_get: none,
      clock_time_get: (clock, _precision, at) => this.#clock(clock, at),
      random_get: (at, size) => this.#random(at, size),
      fd_write: (_file, vectors, count, written) => this.#write(vectors, count, written),
      fd_close: absent,
      fd_fdstat_get: absent,
      fd_fdstat_set_flags: absent,
      fd_prestat_get: absent,
      fd_prestat_dir_name: absent,
      poll_oneoff: (subscriptions, events, count, happened) => this.#poll(subscriptions, events, count, happened),
      sched_yield: () => SUCCESS,
      proc_exit: (code) => {
        throw new Error(`exit code ${code}`);
      },
    };
  }

  /** What the module printed last, such as the first lines of a crash. */
  printed() {
    return this.#text.slice(0, 1000);
  }

  #view() {
    return new DataView(this.memory.buffer);
  }

  #put(at, value) {
    this.#view().setUint32(at, value, true);
  }

  #clock(clock, at) {
    const milliseconds = clock === 0 ? Date.now() : performance.now();
    this.#view().setBigUint64(at, BigInt(Math.round(milliseconds * 1e6)), true);
    return SUCCESS;
  }

  // getRandomValues gives at most 65536 bytes at a time.
  #random(at, size) {
    for (let done = 0; done < size; done += 65536) {
      crypto.getRandomValues(new Uint8Array(this.memory.buffer, at + done, Math.min(65536, size - done)));
    }
    return SUCCESS;
  }

  // Go's runtime polls only to sleep. Whatever it waits for has happened: it looks at the clock again.
  #poll(subscriptions, events, count, happened) {
    const view = this.#view();
    for (let i = 0; i < count; i++) {
      view.setBigUint64(events + 32 * i, view.getBigUint64(subscriptions + 48 * i, true), true);
      view.setUint16(events + 32 * i + 8, SUCCESS, true);
      view.setUint8(events + 32 * i + 10, view.getUint8(subscriptions + 48 * i + 8));
    }
    this.#put(happened, count);
    return SUCCESS;
  }

  #write(vectors, count, written) {
    const view = this.#view();
    let total = 0;
    for (let i = 0; i < count; i++) {
      const at = view.getUint32(vectors + 8 * i, true);
      const size = view.getUint32(vectors + 8 * i + 4, true);
      if (this.#text.length < 4096) {
        this.#text += new TextDecoder().decode(new Uint8Array(this.memory.buffer, at, Math.min(size, 4096)));
      }
      total += size;
    }
    this.#put(written, total);
    return SUCCESS;
  }
}
