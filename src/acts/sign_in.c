#include "acts/sign_in.h"
