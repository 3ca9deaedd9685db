#include "web/cookie.h"
