using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using NicHost.Host.Diagnostics.Logging;
using NicHost.Host.Plugins;

namespace NicHost.Host.Tests.Diagnostics;

/// <summary>What the log's entries are called, in the code and in the page for operators.</summary>
public sealed partial class EventIdTests
{
    /// <summary>The host and each plugin that ships, by the name that their categories begin with.</summary>
    public static TheoryData<string> Owners { get; } = ["NicHost", .. PluginFolder.Scan(PluginRoots.Default).Select(folder => folder.Name).Distinct()];

    [Theory]
    [MemberData(nameof(Owners))]
    public void Id_stands_for_one_event(string owner)
    {
        var events = Events(owner);
        Assert.NotEmpty(events);
        Assert.All(events.GroupBy(e => e.Id), same => Assert.True(same.Count() == 1, $"{owner} {same.Key}: {string.Join(", ", same.Select(e => e.Where))}"));
    }

    [Theory]
    [MemberData(nameof(Owners))]
    public void Page_for_operators_has_every_event_with_its_level_and_no_other(string owner)
    {
        var listed = Listed().Where(row => row.Category == owner || row.Category.StartsWith(owner + ".", StringComparison.Ordinal)).ToLookup(row => row.Id);
        var events = Events(owner);
        foreach (var e in events)
        {
            var row = Assert.Single(listed[e.Id]);
            Assert.True(row.Levels.Contains(e.Level, StringComparer.OrdinalIgnoreCase), $"{row.Category} {e.Id}: the page says {string.Join(", ", row.Levels)}, {e.Where} {e.Level}");
        }
        Assert.Equal(events.Select(e => e.Id).Order(), listed.Select(rows => rows.Key).Order());
    }

    [Fact]
    public void Categories_of_the_page_are_those_of_the_code()
    {
        var code = string.Concat(new[] { "host", "plugins" }.SelectMany(folder => Directory.EnumerateFiles(Repository.File(folder), "*.cs", SearchOption.AllDirectories)).Select(File.ReadAllText));
        var used = Category().Matches(code).Select(match => match.Groups["name"].Value.Replace("{context.Nic}", "VM/NIC", StringComparison.Ordinal)
            .Replace("{_context.Nic}", "VM/NIC", StringComparison.Ordinal).Replace("{_context.Nic.Vm}", "VM", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(Listed().Select(row => row.Category).Distinct().Order(StringComparer.Ordinal), used);
    }

    private static Event[] Events(string owner) =>
    [
        .. from type in Code(owner).GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
           where attribute is not null
           select new Event(attribute.EventId, $"{attribute.Level}", $"{type.Name}.{method.Name}"),
    ];

    private static Assembly Code(string owner)
    {
        if (owner == "NicHost") return typeof(LogSink).Assembly;
        var loaded = PluginCatalog.Load([PluginRoots.Default]).Plugins.First(plugin => plugin.Name == owner).Load()!;
        return loaded.Devices.Values.Select(d => d.Factory.GetType()).Concat(loaded.Endpoints.Values.Select(e => e.Factory.GetType())).First().Assembly;
    }

    /// <summary>The rows of the page's table: <c>A 1, 2; B 3 to 5 | warning, error | …</c>.</summary>
    private static List<(string Category, int Id, string[] Levels)> Listed()
    {
        var rows = new List<(string, int, string[])>();
        foreach (var line in File.ReadLines(Repository.File("docs/operations.md")).SkipWhile(line => !line.StartsWith("| category, id ", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|')))
        {
            var cells = line.Split('|');
            var category = "";
            foreach (var item in cells[1].Split(',', ';'))
            {
                var match = Item().Match(item);
                Assert.True(match.Success, item);
                if (match.Groups["category"].Success) category = match.Groups["category"].Value;
                var first = int.Parse(match.Groups["first"].Value);
                var last = match.Groups["last"].Success ? int.Parse(match.Groups["last"].Value) : first;
                rows.AddRange(Enumerable.Range(first, last - first + 1).Select(id => (category, id, cells[2].Split(',', StringSplitOptions.TrimEntries))));
            }
        }
        return rows;
    }

    [GeneratedRegex(@"^ *((?<category>[A-Za-z./]+) )?(?<first>\d+)( to (?<last>\d+))? *$", RegexOptions.ExplicitCapture)]
    private static partial Regex Item();

    [GeneratedRegex(@"(CreateLogger\(|new Logger\(this, )\$?""(?<name>[^""]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Category();

    private sealed record Event(int Id, string Level, string Where);
}
