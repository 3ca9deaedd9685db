#include "base/email.h"
