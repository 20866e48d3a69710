// The loader's types, used as a program uses them: npx tsc --project verifier/wasm/test. Never run.
import { createVerifier, VerifierError } from '../npm/index.js';
import type { ErrorClass, Key, Report, Tensor } from '../npm/index.js';

export async function outputs(key: Uint8Array, commitment: ArrayBuffer, proof: Uint8Array): Promise<number[] | ErrorClass> {
  const verifier = await createVerifier();
  const loaded: Key = verifier.load(key, commitment);
  const report: Report = loaded.verify(proof, { context: new Uint8Array(1) });
  if (!report.valid) {
    return report.error.class;
  }
  const first: Tensor | undefined = report.outputs[0];
  loaded.free();
  return first?.ints ?? [];
}

export function classOf(e: unknown): ErrorClass | undefined {
  return e instanceof VerifierError ? e.class : undefined;
}

export async function mistakes(): Promise<void> {
  const verifier = await createVerifier({ wasm: new Uint8Array() });
  // @ts-expect-error a file's name is not its contents
  const key = verifier.load('verifying.key', new Uint8Array());
  // @ts-expect-error the context is bytes
  const report = key.verify(new Uint8Array(), { context: '0x01' });
  // @ts-expect-error a report shows nothing of what is proved until it is known to be valid
  report.outputs;
}
