import { afterEach, expect, it, vi } from 'vitest';
import { api, onStepUp, type Problem } from './client';

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const stepUp = () => answer(403, { code: 'step_up', detail: 'again' });

afterEach(() => {
  onStepUp(undefined);
  vi.unstubAllGlobals();
});

it('a request that needs a fresh proof waits for it and is sent again once', async () => {
  const asked = vi.fn().mockResolvedValueOnce(stepUp()).mockResolvedValueOnce(answer(200, { docks: [] }));
  vi.stubGlobal('fetch', asked);
  const prove = vi.fn().mockResolvedValue(true);
  onStepUp(prove);
  expect(await api.docks()).toEqual({ docks: [] });
  expect(prove).toHaveBeenCalledTimes(1);
  expect(asked).toHaveBeenCalledTimes(2);
});

it.each([true, false])('no proof, no second request (somebody asks: %s)', async (somebody) => {
  const asked = vi.fn().mockImplementation(() => Promise.resolve(stepUp()));
  vi.stubGlobal('fetch', asked);
  if (somebody) onStepUp(() => Promise.resolve(false));
  await expect(api.docks()).rejects.toMatchObject({ code: 'step_up' } satisfies Partial<Problem>);
  expect(asked).toHaveBeenCalledTimes(1);
});

it('a request that crossed a change of the session is sent again, one without a session is not', async () => {
  vi.stubGlobal('fetch', vi.fn()
    .mockResolvedValueOnce(answer(401, { code: 'unauthenticated' })).mockResolvedValueOnce(answer(200, { me: { id: 'x' } })).mockResolvedValueOnce(answer(200, { docks: [] })));
  expect(await api.docks()).toEqual({ docks: [] });
  vi.stubGlobal('fetch', vi.fn().mockResolvedValueOnce(answer(401, { code: 'unauthenticated' })).mockResolvedValueOnce(answer(200, {})));
  await expect(api.docks()).rejects.toMatchObject({ status: 401 });
});
