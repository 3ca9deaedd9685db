#include "store/logins.h"
