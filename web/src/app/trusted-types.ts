// The page runs under `require-trusted-types-for 'script'`: nobody may turn
// text into HTML or code. Mantine writes its style sheets through innerHTML of
// <style> elements, and that is the one thing this policy lets pass: text
// without a '<' can never become an element.

interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createHTML(text: string): string }): unknown;
}

export function styleText(text: string): string {
  if (text.includes('<')) throw new TypeError('HTML from text is refused');
  return text;
}

export function installTrustedTypes(): void {
  const factory = (window as { trustedTypes?: TrustedTypesFactory }).trustedTypes;
  factory?.createPolicy('default', { createHTML: styleText });
}
