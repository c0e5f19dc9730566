// How people proved who they are, in words.
const names: Record<string, string> = {
  passkey: 'passkey', code: 'password and code', 'recovery code': 'password and recovery code', password: 'password alone', link: 'enrolment link',
};

export const methodName = (method: string): string => names[method] ?? method;
