/* app.js - sign in by fetch and show who that was.
 *
 * Tokens stay in this page's memory until it is left; nothing is stored.  Text
 * from the server is only ever put in as text, never as markup. */

'use strict';

const REQUEST_TIMEOUT_MS = 15000;

/* Where to sign in, as which program, and which cookies to expect; a file beside
 * this one: {"signIn": PATH, "apiKey": "pk...", "cookies": ["NAME; Path=/", ...]} */
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
	LIMIT_EXCEEDED: ['Too many attempts', 'Wait a moment, then try again.'],
	SERVICE_UNAVAILABLE: ['Busy at the moment',
		'Your details were not checked. Try again in a moment.'],
	CONFIGURATION_ERROR: ['The server is not set up correctly',
		'Its log tells what is missing.'],
	NETWORK: ['The server cannot be reached',
		'Is it running, and are you connected? Then try again.'],
	TIMEOUT: ['The server did not answer in time', 'Try again in a moment.'],
	NO_CONFIG: ['This page is not set up',
		'The file config.json with its API key is missing or damaged.'],
	OTHER: ['Something went wrong', 'The server’s log tells more.'],
};

/* For answers that are not ours: a web server's own error page. */
function codeForStatus(status)
{
	if (status === 429)
		return 'LIMIT_EXCEEDED';
	if (status >= 502 && status <= 504)
		return 'SERVICE_UNAVAILABLE';
	return 'OTHER';
}

function showProblem(code, requestId)
{
	const [title, text] = PROBLEMS[code] || PROBLEMS.OTHER;
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
	$('problem').replaceChildren();
	showFieldError('email', '');
	showFieldError('password', '');
}

/* ---- the form ------------------------------------------------------------- */

let config = null;
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

function retryAfter(response)
{
	const seconds = Number(response.headers.get('Retry-After'));
	return Number.isFinite(seconds) ? Math.min(seconds, 3600) : 0;
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
	return found && found.signIn && found.apiKey ? found : null;
}

async function post(email, password)
{
	return fetch(config.signIn, {
		method: 'POST',
		headers: {
			'Content-Type': 'application/json',
			'X-Api-Key': config.apiKey,
		},
		body: JSON.stringify({ email, password }),
		credentials: 'same-origin',
		cache: 'no-store',
		redirect: 'error',
		signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
	});
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

function refused(response, answer)
{
	const code = answer && answer.errorCode ||
	    codeForStatus(response.status);
	const wait = retryAfter(response);

	showProblem(code, response.headers.get('X-Request-Id'));
	if (response.status === 400)
		markFields(answer && answer.detail);
	const field = PROBLEMS[code] && PROBLEMS[code][2];
	if (field) {
		$(field).focus();
		$(field).select();
	}
	if ((code === 'SERVICE_UNAVAILABLE' || code === 'LIMIT_EXCEEDED') &&
	    wait > 0)
		holdButton(wait);
	else
		releaseButton(code === 'SERVICE_UNAVAILABLE' ?
			'Try again' : 'Sign in');
}

async function signIn()
{
	if (!config)
		config = await loadConfig();
	if (!config) {
		showProblem('NO_CONFIG');
		releaseButton();
		return;
	}
	const response = await post($('email').value.trim(),
		$('password').value);
	const answer = await response.json().catch(() => null);
	if (response.ok && answer && answer.accessToken) {
		releaseButton();
		showPerson(answer);
	} else {
		refused(response, answer);
	}
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
		await signIn();
	} catch (error) {
		showProblem(error.name === 'TimeoutError' ?
			'TIMEOUT' : 'NETWORK');
		releaseButton('Try again');
	} finally {
		busy = false;
	}
}

function reveal(shown)
{
	$('password').type = shown ? 'text' : 'password';
	$('reveal').setAttribute('aria-pressed', String(shown));
	$('reveal').textContent = shown ? 'Hide' : 'Show';
}

function watchCapsLock(event)
{
	const on = event.getModifierState && event.getModifierState('CapsLock');
	const text = on ? 'Caps Lock is on.' : '';
	if ($('capslock').textContent !== text)
		$('capslock').textContent = text;
}

/* ---- who it is ------------------------------------------------------------ */

let expiryTimer = 0;

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

function clockTime(seconds)
{
	return new Date(seconds * 1000).toLocaleTimeString([],
		{ hour: '2-digit', minute: '2-digit' });
}

/* By this machine's clock from now on: the server's may differ. */
function showExpiry(expiresIn)
{
	const end = Date.now() + expiresIn * 1000;
	const tick = () => {
		const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
		$('expiry').textContent = left ?
			`valid for ${duration(left)}, until ${clockTime(end / 1000)}` :
			'expired';
		$('bar').style.width =
		    `${100 * left / Math.max(1, expiresIn)}%`;
		if (!left)
			clearInterval(expiryTimer);
	};
	clearInterval(expiryTimer);
	expiryTimer = setInterval(tick, 1000);
	tick();
}

/* "NAME; Path=/; HttpOnly" */
function cookieItem(text)
{
	const [name, ...attributes] = text.split(/;\s*/);
	const item = document.createElement('li');
	const code = document.createElement('code');
	const tags = document.createElement('span');

	code.textContent = name;
	tags.className = 'tags';
	tags.textContent = attributes.join(' · ');
	item.append(code, tags);
	return item;
}

function showCookies(cookies)
{
	$('cookies').hidden = !cookies || cookies.length === 0;
	$('cookie-list').replaceChildren(...(cookies || []).map(cookieItem));
}

function shortened(answer)
{
	const copy = { ...answer };
	for (const name of ['accessToken', 'refreshToken']) {
		const token = String(copy[name]);
		copy[name] = `${token.slice(0, 16)}… (${token.length} characters)`;
	}
	return copy;
}

function showPerson(answer)
{
	const [head, body] = answer.accessToken.split('.');
	const header = decodePart(head || '');
	const claims = decodePart(body || '');
	const email = claims.email || $('email').value.trim();

	$('password').value = '';
	$('initial').textContent = [...email][0].toUpperCase();
	$('who').textContent = email;
	$('sub').textContent = claims.sub || 'unknown';
	$('sid').textContent = claims.sid || 'unknown';
	$('key').textContent = [header.alg, header.kid].filter(Boolean)
		.join(' · ') || 'unknown';
	$('claims').textContent = JSON.stringify(claims, null, 2);
	$('answer').textContent = JSON.stringify(shortened(answer), null, 2);
	showCookies(config.cookies);
	showExpiry(answer.expiresIn);

	$('sign-in').hidden = true;
	$('hint').hidden = true;
	$('signed-in').hidden = false;
	document.title = 'Signed in · Postern';
	$('signed-in-title').focus();
}

function showForm()
{
	clearInterval(expiryTimer);
	for (const id of ['claims', 'answer', 'who', 'sub', 'sid', 'key'])
		$(id).textContent = '';
	clearProblems();
	$('signed-in').hidden = true;
	$('sign-in').hidden = false;
	$('hint').hidden = false;
	document.title = 'Sign in · Postern';
	$('email').focus();
	$('email').select();
}

/* ---- start ---------------------------------------------------------------- */

$('form').addEventListener('submit', onSubmit);
$('reveal').addEventListener('click', () => {
	reveal($('password').type === 'password');
	$('password').focus();
});
for (const kind of ['keydown', 'keyup'])
	$('password').addEventListener(kind, watchCapsLock);
$('again').addEventListener('click', showForm);
for (const name of ['email', 'password'])
	$(name).addEventListener('input', () => showFieldError(name, ''));
