#include "token/keys.h"
