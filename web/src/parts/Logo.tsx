export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <path d="M16 2 4 6v9c0 7.2 5 12.4 12 15 7-2.6 12-7.8 12-15V6z" fill="var(--c-accent-soft)" stroke="var(--c-accent)" strokeWidth="2.2" strokeLinejoin="round" />
      <circle cx="16" cy="14" r="3.2" fill="var(--c-accent)" />
      <path d="M16 15v6.5" stroke="var(--c-accent)" strokeWidth="2.6" strokeLinecap="round" />
    </svg>
  );
}
