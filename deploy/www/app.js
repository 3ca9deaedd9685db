/* app.js - sign in, see who that was and where else, sign out.
 *
 * postern.js knows how to talk to the service; this is what a person sees of it.
 * Nothing is stored, and text from the server is only ever put in as text, never
 * as markup. */

import { Postern } from './postern.js';

/* Where the service is, as which program this page calls it, and which cookies to
 * expect; a file beside this one:
 * {"base": PATH, "apiKey": "pk...", "cookies": ["NAME; Path=/", ...]} */
const CONFIG_FILE = 'config.json';

const $ = (id) => document.getElementById(id);

/* ---- what can go wrong, in words for people ------------------------------- */

/* title, text; the field to return to. */
const PROBLEMS = {
	INVALID_CREDENTIALS: ['E-mail or password is wrong',
		'Check both and try again.', 'password'],
	INCOMPLETE_CREDENTIALS: ['Something is missing',
		'Enter your e-mail address and your password.'],
	BODY_VALIDATION_FAILED: ['This cannot be right',
		'Check the marked fields.'],
	USER_NOT_CONFIRMED: ['Your account is not confirmed yet',
		'Confirm your address first, or ask whoever runs this service.'],
	FORCE_CHANGE_PASSWORD: ['You must choose a new password',
		'The password is right, but was only meant for the first time.'],
	PASSWORD_RESET_REQUIRED: ['Your password must be reset',
		'The password is right, but no longer accepted.'],
	PASSWORD_EXPIRED: ['Your password is too old',
		'The password is right, but has to be replaced by a new one.'],
	FORBIDDEN: ['This account may not sign in',
		'It was disabled. Ask whoever runs this service.'],
	SSO_ACCOUNT: ['Your organisation signs in elsewhere',
		'Use its single sign-on page instead.'],
	UNAUTHORISED: ['This page may not sign anybody in',
		'The server does not accept its API key; restart the quickstart.'],
	LIMIT_EXCEEDED: ['Too many attempts', 'Try again in a moment.'],
	SERVICE_UNAVAILABLE: ['Busy at the moment',
		'Nothing was done. Try again in a moment.'],
	CONFIGURATION_ERROR: ['The server is not set up correctly',
		'Its log tells what is missing.'],
	NETWORK: ['The server cannot be reached',
		'Is it running, and are you connected? Then try again.'],
	TIMEOUT: ['The server did not answer in time', 'Try again in a moment.'],
	NO_CONFIG: ['This page is not set up',
		'The file config.json with its API key is missing or damaged.'],
	OTHER: ['Something went wrong', 'The server’s log tells more.'],
};

/* What is read out says how long to wait: the button that counts is silent. */
function showProblem(code, { requestId, retryAfter } = {})
{
	const [title, words] = PROBLEMS[code] || PROBLEMS.OTHER;
	const text = retryAfter > 0 ? words.replace('in a moment',
		`in ${duration(retryAfter)}`) : words;
	const strong = document.createElement('strong');
	strong.textContent = title;
	const nodes = [strong, text];

	if (!PROBLEMS[code] || code === 'OTHER' ||
	    code === 'CONFIGURATION_ERROR') {
		const small = document.createElement('small');
		small.textContent = [PROBLEMS[code] ? null : code,
			requestId && `request ${requestId}`]
			.filter(Boolean).join(' · ');
		if (small.textContent)
			nodes.push(small);
	}
	$('problem').replaceChildren(...nodes);
}

function showFieldError(name, text)
{
	const input = $(name);
	$(`${name}-error`).textContent = text;
	if (text)
		input.setAttribute('aria-invalid', 'true');
	else
		input.removeAttribute('aria-invalid');
}

function clearProblems()
{
	$('goodbye').textContent = '';
	$('problem').replaceChildren();
	showFieldError('email', '');
	showFieldError('password', '');
}

/* ---- the form ------------------------------------------------------------- */

let config = null;
let postern = null;
let busy = false;
let holdTimer = 0;

function setButton(label, disabled, working)
{
	$('submit-label').textContent = label;
	/* Not "disabled": that would throw the focus away. */
	$('submit').setAttribute('aria-disabled', String(disabled));
	$('submit').classList.toggle('busy', working);
}

function releaseButton(label = 'Sign in')
{
	clearInterval(holdTimer);
	holdTimer = 0;
	setButton(label, false, false);
}

/* The server said when to come back. */
function holdButton(seconds)
{
	const until = Date.now() + seconds * 1000;
	const tick = () => {
		const left = Math.ceil((until - Date.now()) / 1000);
		if (left <= 0)
			releaseButton('Try again');
		else
			setButton(`Try again in ${duration(left)}`, true,
				false);
	};
	clearInterval(holdTimer);
	holdTimer = setInterval(tick, 250);
	tick();
}

function fieldsAreFilled()
{
	const email = $('email').value.trim();
	if (!email)
		showFieldError('email', 'Enter your e-mail address.');
	else if (!/^[^\s@]+@[^\s@]+$/.test(email))
		showFieldError('email',
			'That is not an e-mail address, like you@example.com.');
	if (!$('password').value)
		showFieldError('password', 'Enter your password.');

	const first = document.querySelector('#form [aria-invalid]');
	if (first)
		first.focus();
	return !first;
}

async function loadConfig()
{
	const response = await fetch(CONFIG_FILE, { cache: 'no-store' });
	const found = await response.json().catch(() => null);
	return found?.base !== undefined && found.apiKey ? found : null;
}

/* A refusal names the fields that it is about: {"email": "is too long"}. */
function markFields(detail)
{
	const subjects = { email: 'The address', password: 'The password' };

	for (const [name, subject] of Object.entries(subjects)) {
		if (detail && typeof detail[name] === 'string')
			showFieldError(name, `${subject} ${detail[name]}.`);
	}
	const first = document.querySelector('#form [aria-invalid]');
	if (first)
		first.focus();
}

function refused(error)
{
	const code = error.errorCode;

	showProblem(code, error);
	if (error.status === 400)
		markFields(error.detail);
	const field = PROBLEMS[code]?.[2];
	if (field) {
		$(field).focus();
		$(field).select();
	}
	if (error.retryAfter > 0)
		holdButton(error.retryAfter);
	else
		releaseButton(error.status === 0 || error.status === 503 ?
			'Try again' : 'Sign in');
}

async function onSubmit(event)
{
	event.preventDefault();
	if (busy || holdTimer)
		return;
	clearProblems();
	reveal(false);
	if (!fieldsAreFilled())
		return;

	busy = true;
	setButton('Signing in…', true, true);
	try {
		answer = await postern.signIn($('email').value.trim(),
			$('password').value);
		$('password').value = '';
		releaseButton();
	} catch (error) {
		refused(error);
	} finally {
		busy = false;
	}
}

function reveal(shown)
{
	const word = shown ? 'Hide' : 'Show';

	$('password').type = shown ? 'text' : 'password';
	/* What is read out begins with what is seen. */
	$('reveal').textContent = word;
	$('reveal').setAttribute('aria-label', `${word} password`);
}

function watchCapsLock(event)
{
	const on = event.getModifierState && event.getModifierState('CapsLock');
	const text = on ? 'Caps Lock is on.' : '';
	if ($('capslock').textContent !== text)
		$('capslock').textContent = text;
}

/* ---- who it is ------------------------------------------------------------ */

let answer = null; /* to the sign-in, when it was made in this page */
let expiryTimer = 0;

const STATUSES = {
	CONFIRMED: 'confirmed',
	UNCONFIRMED: 'not confirmed yet',
	EXTERNAL_PROVIDER: 'signs in elsewhere',
	RESET_REQUIRED: 'password must be reset',
	FORCE_CHANGE_PASSWORD: 'password must be changed',
};

/* Part of a token, for display: nothing here may be relied upon. */
function decodePart(part)
{
	try {
		const base64 = part.replace(/-/g, '+').replace(/_/g, '/');
		const bytes = Uint8Array.from(atob(base64),
			(c) => c.charCodeAt(0));
		return JSON.parse(new TextDecoder().decode(bytes));
	} catch {
		return {};
	}
}

function duration(seconds)
{
	const minutes = Math.floor(seconds / 60);
	if (seconds < 60)
		return `${seconds} s`;
	if (minutes < 60)
		return seconds % 60 ? `${minutes} min ${seconds % 60} s` :
			`${minutes} min`;
	return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function clockTime(ms)
{
	return new Date(ms).toLocaleTimeString([], { timeStyle: 'short' });
}

function dayAndTime(ms)
{
	const date = new Date(ms);
	const today = date.toDateString() === new Date().toDateString();
	return today ? clockTime(ms) : date.toLocaleString([], {
		month: 'short', day: 'numeric',
		hour: 'numeric', minute: '2-digit',
	});
}

/* By this machine's clock: the server's may differ. */
function showExpiry(end)
{
	const begun = Date.now();
	const tick = () => {
		const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
		$('expiry').textContent = left ?
			`valid for ${duration(left)}, then renewed by itself` :
			'ended; renewed when it is needed';
		$('bar').style.width =
		    `${100 * Math.max(0, end - Date.now()) / (end - begun)}%`;
		if (!left)
			clearInterval(expiryTimer);
	};
	clearInterval(expiryTimer);
	$('bar').parentElement.hidden = end === null;
	if (end === null) {
		$('expiry').textContent = 'from an earlier visit';
		return;
	}
	expiryTimer = setInterval(tick, 1000);
	tick();
}

function element(name, className, text)
{
	const made = document.createElement(name);
	if (className)
		made.className = className;
	if (text)
		made.textContent = text;
	return made;
}

/* "NAME; Path=/; HttpOnly" */
function cookieItem(text)
{
	const [name, ...attributes] = text.split(/;\s*/);
	const item = element('li');

	item.append(element('code', '', name),
		element('span', 'quiet', attributes.join(' · ')));
	return item;
}

function showCookies(cookies)
{
	$('cookies').hidden = !cookies?.length;
	$('cookie-list').replaceChildren(...(cookies || []).map(cookieItem));
}

function shortened(given)
{
	const copy = { ...given };
	for (const name of ['accessToken', 'refreshToken']) {
		const token = String(copy[name]);
		copy[name] = `${token.slice(0, 16)}… (${token.length} characters)`;
	}
	return copy;
}

/* Only who signed in here has seen the token: later it is in a cookie alone. */
function showAnswer()
{
	$('answered').hidden = !answer;
	$('claims').textContent = $('answer').textContent = '';
	if (!answer)
		return;
	const [head, claims] = answer.accessToken.split('.', 2)
		.map(decodePart);
	$('claims').textContent = [head, claims].map((part) =>
		JSON.stringify(part, null, 2)).join('\n');
	$('answer').textContent = JSON.stringify(shortened(answer), null, 2);
}

/* ---- where else ----------------------------------------------------------- */

/* A User-Agent in words; as it is when it is none of a browser's. */
function deviceName(userAgent)
{
	const find = (names) => names.find(([, sign]) =>
		sign.test(userAgent))?.[0];
	const browser = find([['Edge', /Edg\//], ['Opera', /OPR\//],
		['Firefox', /Firefox\//], ['Chromium', /Chrom(e|ium)\//],
		['Safari', /Safari\//]]);
	const system = find([['Android', /Android/], ['iPhone', /iPhone/],
		['iPad', /iPad/], ['Windows', /Windows/], ['macOS', /Mac OS/],
		['Linux', /Linux/]]);

	return [browser || userAgent || 'Unknown device', browser && system]
		.filter(Boolean).join(' on ');
}

const unbroken = (text) => text.replaceAll(' ', '\u00a0');

function sessionItem(session)
{
	const item = element('li', 'session');
	const words = element('div');
	const name = deviceName(session.device || '');
	const title = element('p', 'name', name);

	if (session.current)
		title.append(' ', element('span', 'badge', 'this browser'));
	words.append(title, element('p', 'quiet', [
		session.address,
		`active ${dayAndTime(session.refreshedAt * 1000)}`,
		`since ${dayAndTime(session.createdAt * 1000)}`,
	].filter(Boolean).map(unbroken).join('\u00a0· ')));
	item.append(words);
	if (!session.current) {
		const end = element('button', 'link', 'End');
		end.type = 'button';
		end.setAttribute('aria-label', `End the session ${name}, ` +
			`signed in ${dayAndTime(session.createdAt * 1000)}`);
		end.addEventListener('click', () => act(end, async () => {
			await postern.endSession(session.id);
			await showSessions();
			return `${name} was signed out.`;
		}));
		item.append(end);
	}
	return item;
}

async function showSessions()
{
	const sessions = await postern.sessions();
	$('session-list').replaceChildren(...sessions.map(sessionItem));
	$('sign-out-others').hidden = sessions.length < 2;
}

/* ---- what can be done ------------------------------------------------------ */

/* Do what a button says; tell how it went. */
async function act(button, work)
{
	if (button.getAttribute('aria-disabled') === 'true')
		return;
	button.setAttribute('aria-disabled', 'true');
	try {
		note(await work());
	} catch (error) {
		noteError(error);
	} finally {
		button.removeAttribute('aria-disabled');
	}
	/* What was pressed may be gone; the focus must not be. */
	if (!document.activeElement || document.activeElement ===
	    document.body)
		$('sessions-title').focus();
}

function note(text, bad = false)
{
	$('note').textContent = text || '';
	$('note').classList.toggle('bad', bad);
}

function noteError(error)
{
	const [title, text] = PROBLEMS[error.errorCode] || PROBLEMS.OTHER;
	note(`${title}. ${text}`, true);
}

async function renew()
{
	return await postern.refresh() ? 'You have new tokens.' : '';
}

async function signOutElsewhere()
{
	await postern.signOut('others');
	await showSessions();
	return 'All other sessions were ended.';
}

/* ---- one view or the other -------------------------------------------------- */

function show(view, other, title)
{
	$(other).hidden = true;
	$(view).hidden = false;
	document.title = `${title} · Postern`;
}

async function showPerson(person)
{
	const moved = $('signed-in').hidden;

	$('initial').textContent = [...person.email][0].toUpperCase();
	$('who').textContent = person.email;
	$('status').textContent = STATUSES[person.userStatus] ||
	    person.userStatus;
	$('sub').textContent = person.sub;
	showCookies(config.cookies);
	showExpiry(postern.expiresAt);
	showAnswer();
	show('signed-in', 'sign-in', 'Signed in');
	$('hint').hidden = true;
	if (moved) {
		note('');
		$('renewed').textContent = '';
		$('signed-in-title').focus();
	}
	await showSessions();
}

function showForm()
{
	const moved = !$('signed-in').hidden;

	answer = null;
	clearInterval(expiryTimer);
	showAnswer();
	for (const id of ['who', 'sub', 'status', 'session-list'])
		$(id).replaceChildren();
	show('sign-in', 'signed-in', 'Sign in');
	$('hint').hidden = false;
	if (moved) {
		clearProblems();
		$('goodbye').textContent = 'You are signed out.';
		$('email').focus();
		$('email').select();
	}
}

/* Whoever is signed in, here or by another tab. */
async function look()
{
	try {
		const person = await postern.me();
		if (person)
			await showPerson(person);
		else
			showForm();
	} catch (error) {
		if ($('signed-in').hidden) {
			showForm();
			showProblem(error.errorCode, error);
		} else {
			noteError(error);
		}
	}
}

/* ---- start ---------------------------------------------------------------- */

for (const [id, work] of [
	['refresh', renew],
	['sign-out', () => postern.signOut()],
	['sign-out-others', signOutElsewhere],
	['sign-out-all', () => postern.signOut('all')],
])
	$(id).addEventListener('click', () => act($(id), work));

$('form').addEventListener('submit', onSubmit);
$('reveal').addEventListener('click', () => {
	reveal($('password').type === 'password');
	$('password').focus();
});
for (const kind of ['keydown', 'keyup'])
	$('password').addEventListener(kind, watchCapsLock);
for (const name of ['email', 'password'])
	$(name).addEventListener('input', () => showFieldError(name, ''));

async function start()
{
	config = await loadConfig().catch(() => null);
	if (!config) {
		showForm();
		showProblem('NO_CONFIG');
		return;
	}
	postern = new Postern(config);
	postern.addEventListener('signedin', ({ detail }) => {
		if (detail.elsewhere)
			answer = null;
		look();
	});
	postern.addEventListener('renewed', ({ detail }) => {
		showExpiry(detail.expiresAt);
		$('renewed').textContent = `Renewed ${clockTime(Date.now())}` +
			(detail.elsewhere ? ' by another tab' : '');
	});
	postern.addEventListener('signedout', showForm);
	/* A page that comes back from memory has missed the news. */
	addEventListener('pageshow', (event) => event.persisted && look());
	await look();
}

start();
