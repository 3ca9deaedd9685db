#include "store/sessions.h"
