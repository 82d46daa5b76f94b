// Two things at once, without delay(): the LED blinks, and a line is printed every second. The async functions stand in
// blink.c, since they are C; this file has what needs C++.

extern "C" {
int blink_run(void);
void say(unsigned long seconds);
}

void say(unsigned long seconds)
{
    Serial.print("second ");
    Serial.println(seconds);
}

void setup()
{
    Serial.begin(115200);
    pinMode(LED_BUILTIN, OUTPUT);
}

void loop()
{
    blink_run(); // does not return: both go on for ever
}
