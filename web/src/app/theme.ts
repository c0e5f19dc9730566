import { createTheme, defaultVariantColorsResolver, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

// One accent. The shades run from light to dark; which of them is used where
// is set in theme.css, per colour scheme, so that contrast is decided in one place.
const accent: MantineColorsTuple = [
  '#e6f4fd', '#cbe7fa', '#9dd3f6', '#6abdf2', '#37aef0', '#1a93d8', '#0f7fc2', '#0b6aa8', '#08558a', '#053f68',
];

// Mantine's greys, turned to the blue of ours; dark[4] and gray[4] are the edges of controls.
const dark: MantineColorsTuple = [
  '#e9eff5', '#c3cfda', '#a4b4c4', '#8699ab', '#61758a', '#243240', '#151f29', '#0a0f15', '#0d141b', '#05080b',
];

const gray: MantineColorsTuple = [
  '#f5f8fa', '#e9eef3', '#dde5ec', '#d5dde5', '#788897', '#6b7b8a', '#5d6d7c', '#4b5c6b', '#334452', '#101b25',
];

const fonts = 'Inter, "Segoe UI Variable Text", "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif';

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: 7,
  colors: { accent, dark, gray },
  fontFamily: fonts,
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: { fontFamily: fonts, fontWeight: '650', sizes: { h1: { fontSize: '1.375rem', lineHeight: '1.3' }, h2: { fontSize: '1rem', lineHeight: '1.35' }, h3: { fontSize: '0.875rem', lineHeight: '1.4' } } },
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  variantColorResolver: (input) => {
    const colours = defaultVariantColorsResolver(input);
    return input.variant === 'filled' && (input.color ?? 'accent') === 'accent' ? { ...colours, color: 'var(--c-on-accent)' } : colours;
  },
  components: {
    // Inside their place on the page, not at the end of it: so they also show in full screen.
    Tooltip: { defaultProps: { withinPortal: false, openDelay: 350, withArrow: true, events: { hover: true, focus: !matchMedia('(hover: none)').matches, touch: false } } },
  },
});

/** Hands our colours (theme.css) to Mantine's own variables. */
export const variables: CSSVariablesResolver = () => {
  const both = {
    '--mantine-color-body': 'var(--c-bg)',
    '--mantine-color-text': 'var(--c-text)',
    '--mantine-color-dimmed': 'var(--c-dim)',
    '--mantine-color-placeholder': 'var(--c-dim)',
    '--mantine-color-anchor': 'var(--c-accent-text)',
    '--mantine-color-default': 'var(--c-field)',
    '--mantine-color-default-hover': 'var(--c-raised)',
    '--mantine-color-default-color': 'var(--c-text)',
    '--mantine-color-default-border': 'var(--c-edge)',
    '--mantine-color-error': 'var(--c-bad)',
    '--mantine-primary-color-filled': 'var(--c-accent)',
    '--mantine-color-accent-filled': 'var(--c-accent)',
    '--mantine-color-accent-filled-hover': 'var(--c-accent-hover)',
    '--mantine-color-accent-light': 'var(--c-accent-soft)',
    '--mantine-color-accent-light-hover': 'var(--c-accent-soft)',
    '--mantine-color-accent-light-color': 'var(--c-accent-text)',
    '--mantine-color-accent-text': 'var(--c-accent-text)',
  };
  return { variables: {}, light: both, dark: both };
};
