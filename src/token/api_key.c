#include "token/api_key.h"
