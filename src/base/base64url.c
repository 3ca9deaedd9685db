#include "base/base64url.h"
