import { expect, it } from 'vitest';
import { styleText } from './trusted-types';

it('lets style sheets pass and refuses anything that could become an element', () => {
  expect(styleText('@media (min-width: 48em) { .a > .b { color: red } }')).toContain('.a > .b');
  expect(() => styleText('</style><script>alert(1)</script>')).toThrow(TypeError);
});
