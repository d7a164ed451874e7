using System.Diagnostics;
using System.Runtime.InteropServices;
using NicHost.DioOnWindows;

// One line per check, "ok    what" or "FAIL  what: why"; exit code 0 when all are ok.
var failed = 0;
Console.WriteLine($"on {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
foreach (var (name, check) in Checks.All)
{
    var begin = Stopwatch.GetTimestamp();
    try
    {
        var said = await check();
        Console.WriteLine($"ok    {name}{(said.Length > 0 ? $": {said}" : "")} ({Stopwatch.GetElapsedTime(begin).TotalMilliseconds:0} ms)");
    }
#pragma warning disable CA1031 // a check that fails is told, and the others run
    catch (Exception e)
    {
        failed++;
        Console.WriteLine($"FAIL  {name}: {e}");
    }
#pragma warning restore CA1031
}
return failed == 0 ? 0 : 1;
