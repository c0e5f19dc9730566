// Writes src/api/schema.d.ts from openapi.json, the document that the server
// writes of itself. Without the document there is nothing to do.
import { existsSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);

if (!existsSync(source)) {
  console.log('web/openapi.json is not there; src/api/schema.d.ts stays as it is');
} else {
  writeFileSync(target, '/* Written by `npm run types` from openapi.json. Do not edit. */\n' + astToString(await openapiTS(source)));
  console.log('wrote src/api/schema.d.ts');
}
