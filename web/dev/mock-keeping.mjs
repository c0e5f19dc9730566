// The mock server's rules on recordings: purposes, hold requests, and how
// closely a recording is kept.
import { randomBytes } from 'node:crypto';
import { cases, holdRequests, person, purposes } from './mock-data.mjs';

export class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

const invalid = (detail) => new Refusal(422, 'invalid', detail);
const pageSize = 60;

export class Keeping {
  purposes = purposes;
  #holds;
  #given = new Map(); // the purpose that holds, by session and recording

  constructor(list) {
    this.#holds = holdRequests(list);
  }

  /** Purposes hold no longer: every test begins with being asked. */
  forget() {
    this.#given.clear();
  }

  kept(r, me, token) {
    const own = !!r.officer && r.officer === me.number;
    const purpose = this.#given.get(token + r.id);
    return {
      ...r.kept, own, needsPurpose: r.can.consult && !own && !purpose, ...(purpose && { purpose }),
      listed: me.role === 'officer' ? [] : r.kept.listed,
      holdRequests: me.can.holds ? this.#holds.filter((h) => h.recording === r.id).reverse() : [],
    };
  }

  /** The purpose that a look is recorded with. */
  purposeFor(r, me, token, given) {
    const earlier = this.#given.get(token + r.id);
    if (!given.code) {
      if (earlier) return earlier;
      if (r.officer && r.officer === me.number) return { code: 'own' };
      throw invalid('Say for what purpose this recording is to be viewed.');
    }
    const rule = purposes.find((p) => p.code === given.code);
    if (!rule) throw invalid('That is not a purpose of this force.');
    if (rule.reference !== 'none' && !given.reference) throw invalid(`The purpose “${rule.name}” needs a ${rule.label.toLowerCase()}.`);
    const kinds = { case: ['case'], incident: ['incident'], either: ['case', 'incident'] }[rule.reference];
    if (kinds && !cases.some((c) => c.number === given.reference && kinds.includes(c.kind))) {
      throw invalid(`There is no open ${kinds.join(' or ')} with that number. Nothing was shown. Check the number; if it is right, have it entered under Cases first.`);
    }
    const purpose = { code: given.code, reference: given.reference, note: given.note };
    this.#given.set(token + r.id, purpose);
    if (rule.hold && !this.#holds.some((h) => h.recording === r.id && h.reference === given.reference)) {
      this.#holds.unshift({ id: 'z' + randomBytes(16).toString('hex').slice(0, 25), recording: r.id, purpose: given.code, reference: given.reference, name: me.name, at: new Date().toISOString() });
    }
    return purpose;
  }

  /** A page of hold requests; before null: there are none. */
  page(before) {
    if (before === null) return { items: [], next: '' };
    const at = before ? this.#holds.findIndex((h) => h.id === before) + 1 : 0;
    const items = this.#holds.slice(at, at + pageSize);
    return { items, next: at + items.length < this.#holds.length ? items.at(-1).id : '' };
  }

  change(what, r, me, to) {
    if (what === 'restriction') this.#restrict(r, me, to);
    else if (what === 'owner') this.#assign(r, to);
    else this.#combine(r, to);
  }

  #restrict(r, me, to) {
    if (!to.reason) throw invalid('Say why the recording is to be kept so.');
    const listed = to.list.map((l) => {
      const who = r.kept.listed.find((o) => o.person.id === l.person)?.person ?? person(l.person);
      if (!who) throw invalid('There is no account with that sign-in name or collar number. Nothing was changed.');
      if (who.number === me.number) throw new Refusal(403, 'denied', 'Nobody puts their own name on an access list or stays on it for longer by their own hand. Nothing was changed. Ask a colleague who may restrict recordings.');
      return { person: who, ...(l.until && { until: l.until }) };
    });
    Object.assign(r.kept, { class: to.class, listed });
  }

  #assign(r, to) {
    if (!to.reason) throw invalid('Say how it is known whose footage this is.');
    const owner = to.person ? person(to.person) : undefined;
    if (to.person && !owner) throw invalid('There is no account with that sign-in name or collar number. Nothing was changed.');
    r.kept = { ...r.kept, owner };
  }

  #combine(r, to) {
    const c = cases.find((x) => x.number === to.number);
    if (!c) throw invalid('There is no case or incident with that number. Nothing was changed. Have it entered under Cases first.');
    r.kept.cases = [...r.kept.cases.filter((x) => x.id !== c.id), ...(to.in ? [c] : [])];
  }
}
