// A button between pin 2 and ground: its interrupt posts a signal, and a task waits for that, lets the contact come to
// rest and counts. The async functions stand in button.c, since they are C.

extern "C" {
int button_run(void);
void button_pressed(void);
void say(unsigned long presses);
}

void say(unsigned long presses)
{
    Serial.print("pressed ");
    Serial.println(presses);
}

void setup()
{
    Serial.begin(115200);
    pinMode(LED_BUILTIN, OUTPUT);
    pinMode(2, INPUT_PULLUP);
    attachInterrupt(digitalPinToInterrupt(2), button_pressed, FALLING);
}

void loop()
{
    button_run();
}
