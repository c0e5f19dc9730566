// Reading the media themselves, once a person has let the page see the folder.
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../src/bytes';
import type { Check } from '../src/index';
import type { File_ } from './bag';

/** Finds a file of the bag among those of the chosen folder, which may be the bag or one above it. */
export function find(chosen: File[], path: string): File | undefined {
  return chosen.find((f) => f.webkitRelativePath === path || f.webkitRelativePath.endsWith(`/${path}`));
}

/** Hashes a file piece by piece: it may be larger than memory. */
async function digest(file: File, progress: (bytes: number) => void): Promise<string> {
  const hash = sha256.create();
  const piece = 4 << 20;
  for (let at = 0; at < file.size; at += piece) {
    const b = new Uint8Array(await file.slice(at, at + piece).arrayBuffer());
    hash.update(b);
    progress(b.length);
  }
  return toHex(hash.digest());
}

/** Compares a master with the digest that its history has. */
export async function checkMaster(f: File_, file: File | undefined, progress: (bytes: number) => void): Promise<Check> {
  const check = (state: Check['state'], says: string): Check => ({ name: 'masters', subject: f.path, state, says });
  if (!file) return check('failed', 'The file is missing from the folder that you chose.');
  if (f.sealed) return check('not_proven', `The file is sealed for its receiver. Once decrypted, its SHA-256 must be ${f.sha256}.`);
  let found: string;
  try {
    found = await digest(file, progress);
  } catch {
    return check('failed', 'The file cannot be read to its end: the medium may be damaged.');
  }
  if (found !== f.sha256) return check('failed', `This is not the file that was collected from the camera: its SHA-256 is ${found} and should be ${f.sha256}.`);
  return check('proven', 'These are the bytes that were collected from the camera.');
}
