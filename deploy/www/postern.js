/* postern.js - sign people in with Postern, and keep them signed in.
 *
 *	import { Postern } from './postern.js';
 *
 *	const postern = new Postern({ apiKey: 'pk....' });
 *
 *	await postern.signIn(email, password);
 *	const person = await postern.me();            // null: nobody is signed in
 *	const response = await postern.fetch('/api/orders', { method: 'POST' });
 *	await postern.signOut();                      // or 'others', 'all'
 *
 *	postern.addEventListener('signedin', showPerson);
 *	postern.addEventListener('signedout', showForm);
 *
 * Options: `base`, where Postern's addresses begin ('/v2'; with the origin before
 * it when that is another one, which must then allow this one); `apiKey`, a
 * publishable key, unless the service does without; `timeoutMs` of a request.
 *
 * The session lives in cookies that no script can read.  Nothing is kept here: not
 * in localStorage, and of the tokens that signIn() resolves to not in memory
 * either.
 *
 * All tabs of a browser share these cookies, and what one does is news to all:
 * each of them gets the events 'signedin', 'renewed' and 'signedout', whose
 * `detail` is { elsewhere, expiresAt }: whether it happened in another tab, and
 * when the access token ends (milliseconds of this clock, null: not known).
 *
 * The access token is renewed before it ends, by a tab that is looked at.  A
 * request by fetch() that finds it ended is sent again, once, after renewing; that
 * is safe whatever it asks, since a request that was refused for want of a session
 * has done nothing.  Renewing is done by one tab at a time (Web Locks), and the
 * others go on with what it got.  Without Web Locks (old browsers, plain HTTP)
 * each tab renews for itself, which Postern's grace for tokens just replaced makes
 * harmless.
 *
 * A refusal is thrown as a PosternError.  fetch() alone gives back what the server
 * answered, whatever that is. */

const TIMEOUT_MS = 15000;

/* News of another tab may still be on its way when that tab's lock is free. */
const NEWS_MS = 50;

/* Renewing failed: when to try again, unless the server says. */
const RETRY_SECONDS = 30;

/* A timer cannot wait for longer than this. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

const EVENTS = ['signedin', 'renewed', 'signedout'];

/* Refusals that new cookies may mend.  UNAUTHORISED too: a browser no longer sends
 * a cookie whose time is over. */
const MENDABLE = ['SESSION_EXPIRED', 'INVALID_SESSION_TOKEN', 'UNAUTHORISED'];

/* Why something did not work: `errorCode` is Postern's, or NETWORK or TIMEOUT when
 * there was no answer (`status` 0); `retryAfter` in seconds and `requestId`, which
 * stands in the server's log, are null where the answer had none; `detail` is the
 * answer's. */
export class PosternError extends Error {
	constructor(message, { errorCode, status = 0, requestId = null,
		retryAfter = null, detail = {}, cause })
	{
		super(message, { cause });
		this.name = 'PosternError';
		Object.assign(this,
			{ errorCode, status, requestId, retryAfter, detail });
	}
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/* For answers that are not Postern's: a web server's own error page. */
function codeOf(status)
{
	if (status === 429)
		return 'LIMIT_EXCEEDED';
	if (status >= 502 && status <= 504)
		return 'SERVICE_UNAVAILABLE';
	return 'INTERNAL_SERVER_ERROR';
}

function retryAfterOf(response)
{
	const header = response.headers.get('Retry-After');
	const seconds = header === null ? NaN : Number(header);
	return Number.isFinite(seconds) ? Math.min(seconds, 3600) : null;
}

function errorOf(response, answer)
{
	return new PosternError(
		answer?.message || `the server answered ${response.status}`, {
			errorCode: answer?.errorCode || codeOf(response.status),
			status: response.status,
			requestId: response.headers.get('X-Request-Id'),
			retryAfter: retryAfterOf(response),
			detail: answer?.detail,
		});
}

/* What a request brought: its JSON, or a PosternError. */
async function answerTo(request)
{
	let response, answer;

	try {
		response = await request;
		answer = response.status === 204 ? {} :
			JSON.parse(await response.text());
	} catch (cause) {
		if (response && cause instanceof SyntaxError)
			throw errorOf(response, null);
		const late = cause.name === 'TimeoutError';
		throw new PosternError(late ?
			'the server did not answer in time' :
			'the server cannot be reached', {
			errorCode: late ? 'TIMEOUT' : 'NETWORK', cause,
		});
	}
	if (!response.ok)
		throw errorOf(response, answer);
	return answer;
}

/* Was it refused for want of a session?  An answer that is not Postern's, from a
 * service that takes its cookies, need not say so in its words. */
async function isMendable(response)
{
	if (response.status !== 401)
		return false;
	const answer = await response.clone().json().catch(() => null);
	return !answer?.errorCode || MENDABLE.includes(answer.errorCode);
}

export class Postern extends EventTarget {
	#base;
	#apiKey;
	#timeoutMs;
	#name;              /* of the lock and the channel */
	#channel = null;
	#changedAt = 0;     /* when the cookies last did, by performance.now() */
	#signedOut = false; /* known to be */
	#expiresAt = null;
	#isDue = false;     /* to be renewed */
	#timer = 0;
	#renewing = null;

	constructor({ base = '/v2', apiKey = null, timeoutMs = TIMEOUT_MS } = {})
	{
		super();
		this.#base = base;
		this.#apiKey = apiKey;
		this.#timeoutMs = timeoutMs;
		this.#name = `postern ${base}`;
		if (globalThis.BroadcastChannel) {
			this.#channel = new BroadcastChannel(this.#name);
			this.#channel.onmessage = ({ data }) => {
				if (EVENTS.includes(data?.event))
					this.#take(data, true);
			};
		}
		document.addEventListener('visibilitychange', this.#renewIfDue);
	}

	/* When the access token ends, in milliseconds of this clock; null: not
	 * known. */
	get expiresAt()
	{
		return this.#expiresAt;
	}

	/* Resolves to the server's answer, tokens included. */
	signIn(email, password)
	{
		return this.#alone(async () => {
			const options = this.#options('POST',
				{ email, password });
			if (this.#apiKey)
				options.headers['X-Api-Key'] = this.#apiKey;
			const answer = await answerTo(fetch(
				`${this.#base}/auth/sign-in`, options));
			this.#tell('signedin', answer.expiresIn);
			return answer;
		});
	}

	/* Resolves to whether there is still a session. */
	refresh()
	{
		return this.#renew(performance.now());
	}

	/* End this session, the person's others, or all.  Refused, it has ended
	 * nothing. */
	async signOut(scope = 'this')
	{
		const sentAt = performance.now();

		try {
			await this.#leave(scope);
		} catch (error) {
			if (error.status !== 401)
				throw error;
			if (!this.#signedOut &&
			    await this.#renew(sentAt).catch(() => false))
				await this.#leave(scope);
			/* What is over already need not be ended. */
			else if (scope !== 'this' || !this.#signedOut)
				throw error;
		}
	}

	/* Who is signed in: { sub, email, userStatus, authenticationMethod };
	 * null: nobody. */
	async me()
	{
		try {
			const person = await this.#call('GET', '/users/me');
			this.#signedOut = false;
			return person;
		} catch (error) {
			if (error.status === 401)
				return null;
			throw error;
		}
	}

	/* The person's sessions, as GET /auth/sessions lists them. */
	async sessions()
	{
		return (await this.#call('GET', '/auth/sessions')).sessions;
	}

	/* End one of them. */
	async endSession(id)
	{
		await this.#call('DELETE',
			`/auth/sessions/${encodeURIComponent(id)}`);
	}

	/* The browser's fetch, with the session renewed when it has to be. */
	async fetch(input, init)
	{
		const again = input instanceof Request ? input.clone() : input;
		const sentAt = performance.now();
		const response = await fetch(input, init);

		/* A stream is gone once it was sent. */
		if (this.#signedOut || init?.body instanceof ReadableStream ||
		    !await isMendable(response))
			return response;
		if (!await this.#renew(sentAt).catch(() => false))
			return response;
		return fetch(again, init);
	}

	/* No more events, and no more renewing. */
	close()
	{
		clearTimeout(this.#timer);
		this.#isDue = false;
		this.#channel?.close();
		document.removeEventListener('visibilitychange',
			this.#renewIfDue);
	}

	/* ---- requests ---- */

	#options(method, body)
	{
		return {
			method,
			headers: body ? { 'Content-Type': 'application/json' } :
				{},
			body: body && JSON.stringify(body),
			credentials: 'include',
			cache: 'no-store',
			redirect: 'error',
			signal: AbortSignal.timeout(this.#timeoutMs),
		};
	}

	/* As the person who is signed in. */
	#call(method, path, body)
	{
		return answerTo(this.fetch(this.#base + path,
			this.#options(method, body)));
	}

	/* ---- one tab at a time ---- */

	/* Whatever sets cookies does so while no other tab does. */
	#alone(work)
	{
		return navigator.locks ?
			navigator.locks.request(this.#name, work) : work();
	}

	/* Not beside a tab that renews: its answer, coming later, would bring
	 * back the cookies that this one takes away. */
	#leave(scope)
	{
		return this.#alone(async () => {
			await answerTo(fetch(`${this.#base}/auth/sign-out`,
				this.#options('POST', { scope })));
			if (scope !== 'others')
				this.#tell('signedout');
		});
	}

	/* New cookies, unless there are some since then.  Resolves to whether
	 * there is a session. */
	async #renew(since)
	{
		const isDone = () => this.#changedAt > since;

		if (!isDone()) {
			this.#renewing ??= this.#alone(async () => {
				await pause(NEWS_MS);
				if (!isDone())
					await this.#renewNow();
			}).finally(() => {
				this.#renewing = null;
			});
			await this.#renewing;
		}
		return !this.#signedOut;
	}

	async #renewNow()
	{
		try {
			const answer = await answerTo(fetch(
				`${this.#base}/auth/refresh`,
				this.#options('POST')));
			this.#tell('renewed', answer.expiresIn);
		} catch (error) {
			if (error.status !== 401)
				throw error;
			this.#tell('signedout');
		}
	}

	/* ---- in good time ---- */

	/* Each tab at a moment of its own, in the last fifth of the token's life:
	 * the first one saves the others the way. */
	#plan(seconds)
	{
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			this.#isDue = true;
			this.#renewIfDue();
		}, Math.min(seconds * 1000, TIMER_LIMIT_MS));
	}

	#renewIfDue = async () => {
		if (document.hidden || !this.#isDue)
			return;
		this.#isDue = false;
		try {
			await this.refresh();
		} catch (error) {
			this.#plan(error.retryAfter ?? RETRY_SECONDS);
		}
	};

	/* ---- news ---- */

	#take({ event, expiresIn }, elsewhere)
	{
		clearTimeout(this.#timer);
		this.#isDue = false;
		this.#changedAt = performance.now();
		this.#signedOut = event === 'signedout';
		this.#expiresAt = null;
		if (!this.#signedOut && expiresIn > 0) {
			this.#expiresAt = Date.now() + expiresIn * 1000;
			this.#plan(expiresIn * (0.8 + 0.15 * Math.random()));
		}
		this.dispatchEvent(new CustomEvent(event, {
			detail: { elsewhere, expiresAt: this.#expiresAt },
		}));
	}

	#tell(event, expiresIn = 0)
	{
		const news = { event, expiresIn };
		this.#channel?.postMessage(news);
		this.#take(news, false);
	}
}
