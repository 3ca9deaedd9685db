#include "token/refresh_token.h"
