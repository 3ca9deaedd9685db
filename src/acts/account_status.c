/* account_status.c - what an account's status is called, and what it allows. */

#include "acts/account_status.h"

#include <string.h>

static const char *const status_names[ACCOUNT_STATUS_COUNT] = {
	[ACCOUNT_CONFIRMED] = "confirmed",
	[ACCOUNT_UNCONFIRMED] = "unconfirmed",
	[ACCOUNT_FORCE_CHANGE_PASSWORD] = "force-change-password",
	[ACCOUNT_RESET_REQUIRED] = "reset-required",
	[ACCOUNT_EXTERNAL_PROVIDER] = "external-provider",
	[ACCOUNT_DISABLED] = "disabled",
};

const char *
account_status_name(enum account_status status)
{
	if ((unsigned)status >= ACCOUNT_STATUS_COUNT)
		return "unknown";
	return status_names[status];
}

int
account_status_parse(const char *name, enum account_status *status)
{
	for (int i = 0; i < ACCOUNT_STATUS_COUNT; i++)
		if (strcmp(name, status_names[i]) == 0) {
			*status = (enum account_status)i;
			return 0;
		}
	return -1;
}

bool
account_status_keeps_sessions(enum account_status status)
{
	return status == ACCOUNT_CONFIRMED;
}

enum account_status
account_status_with_password(enum account_status before, bool force_change)
{
	switch (before) {
	case ACCOUNT_CONFIRMED:
	case ACCOUNT_FORCE_CHANGE_PASSWORD:
	case ACCOUNT_RESET_REQUIRED:
		return force_change ? ACCOUNT_FORCE_CHANGE_PASSWORD :
				      ACCOUNT_CONFIRMED;
	case ACCOUNT_UNCONFIRMED:
	case ACCOUNT_EXTERNAL_PROVIDER:
	case ACCOUNT_DISABLED:
		break;
	}
	return before;
}
