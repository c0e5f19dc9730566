// Passkeys: between the server's questions and the browser's answers, in which
// bytes are base64url on the way (WebAuthn level 3).
import type { NewPasskeyAnswer, NewPasskeyQuestion, PasskeyAnswer, PasskeyQuestion } from './types';

export const toText = (b: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

export const toBytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));

const patience = 120_000; // ms; the server's challenge lives five minutes

/** What went wrong in the browser or on the device, in words. */
function failure(e: unknown): Error {
  const name = e instanceof Error ? e.name : '';
  if (name === 'NotAllowedError') return new Error('The passkey was not used: it took too long, or it was cancelled. Nothing was changed.');
  if (name === 'InvalidStateError') return new Error('This device has a passkey for your account already.');
  if (name === 'SecurityError') return new Error('Passkeys do not work at this address. Open Custos at the address that your force gives for it.');
  return new Error('The passkey could not be used. Nothing was changed. Try again, or use another way.');
}

/** Lets a passkey sign the server's question. Fails with an Error in words. */
export async function signWithPasskey(q: PasskeyQuestion): Promise<PasskeyAnswer> {
  try {
    const c = (await navigator.credentials.get({
      publicKey: {
        challenge: toBytes(q.challenge), rpId: q.site, userVerification: 'required', timeout: patience,
        allowCredentials: (q.allow ?? []).map((id) => ({ type: 'public-key' as const, id: toBytes(id) })),
      },
    })) as PublicKeyCredential;
    const r = c.response as AuthenticatorAssertionResponse;
    return {
      credential: toText(c.rawId), clientData: toText(r.clientDataJSON), authenticatorData: toText(r.authenticatorData),
      signature: toText(r.signature), userHandle: r.userHandle ? toText(r.userHandle) : '',
    };
  } catch (e) {
    throw failure(e);
  }
}

/** Makes a passkey for the server's question. Fails with an Error in words. */
export async function makePasskey(q: NewPasskeyQuestion): Promise<NewPasskeyAnswer> {
  try {
    const c = (await navigator.credentials.create({
      publicKey: {
        challenge: toBytes(q.challenge), rp: { id: q.site, name: q.siteName }, user: { id: toBytes(q.user), name: q.login, displayName: q.name },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key' as const, alg })), // ES256, EdDSA, RS256
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        excludeCredentials: (q.exclude ?? []).map((id) => ({ type: 'public-key' as const, id: toBytes(id) })),
        attestation: 'none', timeout: patience,
      },
    })) as PublicKeyCredential;
    const r = c.response as AuthenticatorAttestationResponse;
    return { credential: toText(c.rawId), clientData: toText(r.clientDataJSON), attestation: toText(r.attestationObject), transports: r.getTransports() };
  } catch (e) {
    throw failure(e);
  }
}

/** Whether passkeys can be used in this browser at the address it shows. */
export const passkeysHere = (host: string): boolean =>
  host !== '' && 'PublicKeyCredential' in window && (location.hostname === host || location.hostname.endsWith('.' + host));
