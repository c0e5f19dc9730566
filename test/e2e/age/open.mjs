// Opens an age file with the npm package age-encryption:
//   node open.mjs IDENTITY-FILE IN OUT
import { readFileSync, writeFileSync } from 'node:fs';
import { Decrypter } from 'age-encryption';

const [identity, from, to] = process.argv.slice(2);
const opener = new Decrypter();
for (const line of readFileSync(identity, 'utf8').split('\n')) {
  if (line.startsWith('AGE-SECRET-KEY-')) opener.addIdentity(line.trim());
}
writeFileSync(to, await opener.decrypt(readFileSync(from)));
