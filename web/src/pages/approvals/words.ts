interface Somebody {
  name: string;
  number: string;
  roleName: string;
}

/** A person as a sentence names them: DC N. Okafor 5120, Investigator. */
export const who = (p: Somebody) => [[p.name, p.number].filter(Boolean).join(' '), p.roleName].filter(Boolean).join(', ');
