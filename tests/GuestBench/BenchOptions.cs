using System.Globalization;

namespace NicHost.GuestBench;

internal sealed record BenchOptions(int Rounds, int Seconds, string[] Guests)
{
    public static BenchOptions Parse(string[] args)
    {
        var rounds = 3;
        var seconds = 3;
        string[] guests = ["qemu", "uml"];
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--rounds": rounds = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--seconds": seconds = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--guests": guests = args[i + 1].Split(','); break;
                default: throw new ArgumentException($"{args[i]}: --rounds N, --seconds S or --guests qemu,uml");
            }
        }
        return new BenchOptions(rounds, seconds, guests);
    }
}
