#include "token/access_token.h"
